import type { FailureRecord } from '../../core/failure.ts'
import type { AttemptRef } from '../../core/run.ts'
import { query, type Db } from '../postgres/db.ts'

const STALLED = JSON.stringify({
  code: 'WORKER_STALLED',
  message: 'The event loop of its worker was blocked.',
  retry: 'later',
} satisfies FailureRecord)

/** The worker of an attempt stalled while it did it (SQL). */
export const IS_STALLED = "coalesce(failure ->> 'code' = 'WORKER_STALLED', false)"

/**
 * Notes on attempts that the event loop of their worker is blocked, or no longer: so that a takeover, which sees only that heartbeats stopped, counts it. One that
 * was taken over a moment ago is noted too.
 */
export async function noteStalled(db: Db, attempts: readonly AttemptRef[], stalled: boolean): Promise<void> {
  await query(
    db,
    `update attempts a set failure = $4
     from unnest($1::text[], $2::int[], $3::uuid[]) as m(run_id, number, token)
     where a.run_id = m.run_id and a.number = m.number and a.token = m.token
       and ${stalled ? "(a.finished_at is null or a.failure ->> 'code' = 'WORKER_LOST')" : `a.finished_at is null and ${IS_STALLED}`}`,
    [
      attempts.map(({ runId }) => runId),
      attempts.map(({ number }) => number),
      attempts.map(({ token }) => token),
      stalled ? STALLED : null,
    ],
    stalled ? 'note stalled' : 'forget stalled',
  )
}
