import { mayRun, type Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'

/** Throws `FORBIDDEN` for a caller who may not queue and cancel runs of the job. */
export function requireRunner(caller: Caller, job: string): void {
  if (!mayRun(caller, job)) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} may not run this job.` })
}

/** Throws `FORBIDDEN` for anybody but an operator. */
export function requireOperator(caller: Caller): void {
  if (caller.role !== 'operator') throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no operator.` })
}
