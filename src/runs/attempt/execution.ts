import type { Wake } from '../../core/ports/wake.ts'
import type { Failure } from '../../core/failure.ts'
import type { FinalStatus } from '../../core/run.ts'

/** The outcome of handing a run to a worker. `next` are the runs that can start because of it. */
export type Execution =
  | { kind: 'finished'; status: FinalStatus; failure: Failure | undefined; next: Wake[] }
  /** `at` by the store's clock. */
  | { kind: 'retry'; at: Date; inMs: number; failure: Failure; next: Wake[] }
  | { kind: 'waiting'; failure: Failure; next: Wake[] }
  /** A pause or a limit holds it; it is woken when that is over. */
  | { kind: 'held'; next: Wake[] }
  /** Its next attempt is not due yet. */
  | { kind: 'not-yet'; inMs: number }
  /** Another worker holds it. */
  | { kind: 'busy' }
  /** Another worker took it over: this attempt lost its fencing token, and nothing of its end was written. */
  | { kind: 'lost' }
  /** It is over already, or unknown. */
  | { kind: 'nothing' }
