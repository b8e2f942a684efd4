// @ts-nocheck
export const ROLES = ['viewer', 'runner', 'operator'] as const
export type Role = (typeof ROLES)[number]

/** What a caller may do: viewer sees; runner also queues and cancels runs, of all jobs or of those named; operator does all. */
export interface Grant {
  role: Role
  /** Undefined: all. */
  jobs: readonly string[] | undefined
}

export interface Caller extends Grant {
  /** As it is kept on the run: a user's email or id, or `token:` and the token's name. */
  name: string
}

/** The strongest of several grants; the jobs of equal ones come together. */
export function strongestGrant(grants: readonly Grant[]): Grant | undefined {
  const role = ROLES.findLast((one) => grants.some((grant) => grant.role === one))
  if (!role) return undefined
  const same = grants.filter((grant) => grant.role === role)
  const jobs = same.some((grant) => grant.jobs === undefined) ? undefined : [...new Set(same.flatMap((grant) => grant.jobs ?? []))]
  return { role, jobs }
}

/** True when the caller may queue and cancel runs of the job. */
export function mayRun({ role, jobs }: Grant, job: string): boolean {
  return role === 'operator' || (role === 'runner' && (jobs === undefined || jobs.includes(job)))
}
