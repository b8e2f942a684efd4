import type { FailureRecord } from '../../core/failure.ts'
import { EXIT, FAILURES } from '../../core/failure-codes.ts'
import type { RunStatus } from '../../core/run.ts'

/** Exit code of a command that waited for a run. */
export function exitOfRun(run: { status: RunStatus; failure: FailureRecord | null }): number {
  switch (run.status) {
    case 'succeeded':
      return EXIT.ok
    case 'incomplete':
      return EXIT.incomplete
    case 'waiting':
      return EXIT.waiting
    case 'cancelled':
      return EXIT.cancelled
    case 'failed':
      return run.failure ? FAILURES[run.failure.code].exit : EXIT.failed
    case 'queued':
    case 'running':
      return EXIT.ok
  }
}
