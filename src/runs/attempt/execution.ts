import type { Wake } from '../../core/ports/wake.ts'
import type { Failure } from '../../core/failure.ts'
import type { FinalStatus } from '../../core/run.ts'

/** What came of a run that the queue handed to a worker. `next` are the runs that may start because of it. */
export type Execution =
  | { kind: 'finished'; status: FinalStatus; failure: Failure | undefined; next: Wake[] }
  | { kind: 'retry'; at: Date; failure: Failure; next: Wake[] }
  | { kind: 'waiting'; failure: Failure; next: Wake[] }
  /** A pause or a limit holds it; it is woken when that is over. */
  | { kind: 'held'; next: Wake[] }
  /** Its next attempt is not due yet. */
  | { kind: 'not-yet'; at: Date }
  /** Another worker holds it. */
  | { kind: 'busy' }
  /** Another worker took it over; nothing of this one counts. */
  | { kind: 'lost' }
  /** It is over already, or unknown. */
  | { kind: 'nothing' }
