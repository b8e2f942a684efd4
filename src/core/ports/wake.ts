/** A run that the queue should hand to a worker. */
export interface Wake {
  id: string
  /** Attempts and holds so far. Run and round are the id of the queue job, by which BullMQ deduplicates. */
  round: number
  /** A run that is running under a worker that fell silent: an entry beside that of its round, which the round that follows does not know. */
  takeover?: boolean | undefined
  priority?: number | undefined
  /** It stood in the queue for long after its time: an entry beside that of its round, which a wrong clock may have put off. */
  late?: boolean | undefined
  /** Until it may begin; not given: now. */
  inMs?: number | undefined
}

/** Adds runs to the queue. A wake may be lost: the sweep adds the run again. */
export interface Waker {
  /** Rejects with `QUEUE_UNAVAILABLE`, after some seconds at the latest; the runs are then added by the sweep. */
  wake(wakes: readonly Wake[]): Promise<void>
  /** The same without waiting, for runs that are committed in SQL. A queue that does not answer is logged. */
  wakeSoon(wakes: readonly Wake[]): void
}

/** The wake of a new run. */
export const firstWake = (id: string, priority?: number, inMs?: number): Wake => ({ id, round: 0, priority, inMs })
