import { jobsOf, type Caller, type Role } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'

/** The jobs that the caller may see; what is of others is not there for them. Undefined: all. */
export const visibleJobs = (caller: Caller): readonly string[] | undefined => jobsOf(caller, 'viewer')

/** Throws `FORBIDDEN` for a caller who has not that role for the job. */
export function requireRole(caller: Caller, role: Role, job: string): void {
  const jobs = jobsOf(caller, role)
  if (jobs && !jobs.includes(job)) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no ${role} of the job ${job}.` })
}

/** The jobs whose operator the caller is; undefined: all. Throws `FORBIDDEN` for a caller who is operator of none. */
export function requireOperator(caller: Caller): readonly string[] | undefined {
  const jobs = jobsOf(caller, 'operator')
  if (jobs?.length === 0) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no operator.` })
  return jobs
}

/** Throws `FORBIDDEN` for a caller who is not the operator of all jobs: for what belongs to no job. */
export function requireOperatorOfAll(caller: Caller): void {
  if (requireOperator(caller)) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is operator of some jobs only.` })
}
