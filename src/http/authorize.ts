import { jobsOf, type Caller, type Role } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'

/** The jobs that the caller may see; what is of others is not there for them. Undefined: all. */
export const visibleJobs = (caller: Caller): readonly string[] | undefined => jobsOf(caller, 'viewer')

/** Throws `FORBIDDEN` for a caller who has not that role for the job. */
export function requireRole(caller: Caller, role: Role, job: string): void {
  const jobs = jobsOf(caller, role)
  if (jobs && !jobs.includes(job)) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no ${role} of the job ${job}.` })
}

/** The jobs for which the caller has that role; undefined: all. Throws `FORBIDDEN` for a caller who has it for none. */
export function requireSome(caller: Caller, role: Role): readonly string[] | undefined {
  const jobs = jobsOf(caller, role)
  if (jobs?.length === 0) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no ${role}.` })
  return jobs
}
