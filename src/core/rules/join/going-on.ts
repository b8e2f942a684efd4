/** Until when the provider of an attempt may go on after it, when the end of its answer was not seen: as long as we would have let it work, which is also the life of an account of the run's own. */
export const mayGoOnUntil = (attempt: { startedAt: Date; deadlineMs: number }): Date =>
  new Date(attempt.startedAt.getTime() + attempt.deadlineMs)
