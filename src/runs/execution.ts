import type { Failure } from '../core/failure.ts'
import type { FinalStatus } from '../core/run.ts'
import type { WakeableRun } from '../store/runs.ts'

/** A run that the queue should hand out, now or at a time. */
export type NextRun = WakeableRun & { at?: Date | null }

/** What came of one delivery of a run to a worker. `next` are the runs that may start because of it. */
export type Execution =
  | { kind: 'finished'; status: FinalStatus; failure: Failure | undefined; next: NextRun[] }
  | { kind: 'retry'; at: Date; failure: Failure; next: NextRun[] }
  | { kind: 'waiting'; failure: Failure; next: NextRun[] }
  /** A pause or a limit holds it; it is woken when that is over. */
  | { kind: 'held'; next: NextRun[] }
  /** Its next attempt is not due yet. */
  | { kind: 'not-yet'; at: Date }
  /** Another worker holds it. */
  | { kind: 'busy' }
  /** Another worker took it over; nothing of this one counts. */
  | { kind: 'lost' }
  /** It is over already, or unknown. */
  | { kind: 'nothing' }
