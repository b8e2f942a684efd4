/** What a caller may do, each more than the one before: a viewer sees; a runner also queues and cancels runs; an operator does all. */
export const ROLES = ['viewer', 'runner', 'operator'] as const
export type Role = (typeof ROLES)[number]

export interface Grant {
  role: Role
  /** The jobs that the role is for, in seeing as in asking. Undefined: all, and what belongs to no job. */
  jobs: readonly string[] | undefined
}

export interface Caller {
  /** As it is kept on the run: a user's email or id, or `token:` and the token's name. */
  name: string
  /** A user may have several, by name and by group: what one of them allows is allowed. */
  grants: readonly Grant[]
}

/** The jobs for which the caller has a role, or a stronger one. Undefined: all. */
export function jobsOf({ grants }: Pick<Caller, 'grants'>, role: Role): readonly string[] | undefined {
  const enough = grants.filter((grant) => ROLES.indexOf(grant.role) >= ROLES.indexOf(role))
  return enough.some(({ jobs }) => jobs === undefined) ? undefined : [...new Set(enough.flatMap(({ jobs }) => jobs ?? []))]
}
