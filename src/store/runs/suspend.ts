import type { FailureRecord } from '../../core/failure.ts'
import type { Wake } from '../../core/ports/wake.ts'
import type { Wait } from '../../core/rules/consent-wait.ts'
import type { AttemptRef } from '../../core/run.ts'
import { query, retryWhileUnavailable, type Db } from '../postgres/db.ts'
import { createParameters, jsonOrNull } from '../postgres/parameters.ts'
import { spentOf } from '../attempts/usage.ts'
import { WAKEABLE } from './wakeable.ts'

/** A run as an attempt left it. */
export interface SuspendedRun extends Wake {
  status: 'queued' | 'waiting'
  inMs: number
  /** When it may go on; null: now. */
  at: Date | null
}

/** How an attempt leaves its run that is not over: queued for a later attempt, or waiting for something that wakes it. */
export type Suspension = { failure: FailureRecord | null } & (
  | { status: 'queued'; waitMs: number; attemptStatus: 'failed' | 'lost' }
  | { status: 'waiting'; waitsFor: Wait }
)

const SUSPENDED = `${WAKEABLE}, status, next_attempt_at as at`

/**
 * Ends the attempt and leaves the run queued for a later one, or waiting for a person. One whose cancel was asked for meanwhile is queued for now: who
 * takes it ends it. Returns the run for the queue; undefined when the attempt is not the open one.
 */
export async function suspendRun(db: Db, attempt: AttemptRef, suspension: Suspension): Promise<SuspendedRun | undefined> {
  const attemptStatus = suspension.status === 'waiting' ? 'waiting' : suspension.attemptStatus
  const { text, values } = suspendStatement(attempt, attemptStatus, suspension)
  const [row] = await retryWhileUnavailable(() => query<SuspendedRun>(db, text, values, 'suspend run'))
  if (row || !(await hasEnded(db, attempt, attemptStatus))) return row
  // A takeover closed the attempt as lost, too: then the run is another one's.
  const mine = `select ${SUSPENDED} from runs where id = $1 and attempts = $2`
  const [known] = await query<SuspendedRun>(db, mine, [attempt.runId, attempt.number])
  return known
}

function suspendStatement(attempt: AttemptRef, attemptStatus: string, suspension: Suspension) {
  const { status, failure } = suspension
  const waitMs = suspension.status === 'queued' ? suspension.waitMs : null
  const waitsFor = suspension.status === 'waiting' ? suspension.waitsFor : null
  const { add, values } = createParameters()
  const record = add(jsonOrNull(failure))
  const text = `with run as (
      -- Everybody locks first the run, then its attempt: two orders would deadlock.
      select id from runs where id = ${add(attempt.runId)} for no key update),
    ended as (
      update attempts set status = ${add(attemptStatus)}, failure = ${record}, finished_at = now()
      where run_id = (select id from run) and number = ${add(attempt.number)} and token = ${add(attempt.token)}
        and finished_at is null
      returning run_id)
    update runs set
      status = case when cancel_requested_at is null then ${add(status)} else 'queued' end,
      next_attempt_at = case when cancel_requested_at is null then now() + make_interval(secs => ${add(waitMs)}::float8 / 1000) end,
      waits_for = case when cancel_requested_at is null then ${add(jsonOrNull(waitsFor))}::json end,
      failure = ${record},
      codes = ${add(failure ? [failure.code] : [])},
      -- What was spent so far is known while it waits, too.
      input_tokens = spent.input_tokens, cached_tokens = spent.cached_tokens, output_tokens = spent.output_tokens, reasoning_tokens = spent.reasoning_tokens,
      cost_usd = spent.cost_usd
    from (${spentOf('(select run_id from ended)')}) spent
    where id = (select run_id from ended)
    returning ${SUSPENDED}`
  return { text, values }
}

/** A write whose answer was lost with the connection may have been done, and then finds nothing left to do. */
export async function hasEnded(db: Db, attempt: AttemptRef, status: string): Promise<boolean> {
  const rows = await query(
    db,
    `select 1 from attempts
     where run_id = $1 and number = $2 and token = $3 and status = $4 and finished_at is not null`,
    [attempt.runId, attempt.number, attempt.token, status],
  )
  return rows.length > 0
}
