import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { FailureRecord } from '../../core/failure.ts'
import type { AttemptRef, RunStatus, Trigger, Tags } from '../../core/run.ts'
import { query, transaction, type Db } from '../postgres/db.ts'
import { leaseOver } from './heartbeat.ts'
import { IN_MS } from './wakeable.ts'
import { IS_STALLED } from '../attempts/stalled.ts'
import { DEFINED_LIMIT, fullLimit, hold, holdName, type LimitedRun, type ConcurrencyOf } from './holds.ts'

export interface OpenedAttempt {
  attempt: AttemptRef
  job: string
  account: string
  definition: unknown
  jobVersion: string
  input: unknown
  trigger: Trigger
  tags: Tags
  conversation: number
  createdAt: Date
  /** Earlier attempts belong to the same conversation: it goes on. A retry by an operator begins another one. */
  resumed: boolean
  /** Earlier attempts of the conversation that failed, that were lost with their worker, and whose worker could not do the run (WORKER_UNFIT). */
  failed: number
  lost: number
  /** Of the lost ones, those whose worker's event loop was blocked (WORKER_STALLED). */
  stalled: number
  unfit: number
  /** Those that ended with a wait for a person. */
  waited: number
  /** An earlier attempt was still open: its worker died or lost its lock. */
  tookOver: boolean
}

export type Claim =
  | { kind: 'opened'; opened: OpenedAttempt }
  | { kind: 'not-yet'; inMs: number }
  | { kind: 'cancel-requested' }
  /** A pause, or a limit on runs at a time: it is woken when that is over. */
  | { kind: 'held'; by: string; account: string }
  /** Nobody took it before its `expireAt`. */
  | { kind: 'expired'; at: Date }
  /** Another worker holds it. */
  | { kind: 'busy' }
  | { kind: 'not-runnable'; status: RunStatus }
  | { kind: 'unknown' }

export interface ClaimOptions {
  worker: string
  /** The queue job that brought the run. Column `delivery` of runs, `queue_job_id` of claims. */
  queueJobId: string
  /** A running attempt is taken over when its worker has not been heard of for this long; a worker beats at least six times in it. */
  leaseMs: number
  /** Most runs at a time of a job and of an account; undefined when no limit is set at all. */
  concurrencyOf?: ConcurrencyOf | undefined
}

/**
 * Opens the next attempt of a run for a worker. A running one is taken over when its lease ran out: its worker's heartbeat stopped. The attempt that
 * was open is closed as lost, and its worker can write no more (fencing): the update waits for the rows that it is writing.
 */
export async function openAttempt(db: Db, runId: string, options: ClaimOptions): Promise<Claim> {
  const { concurrencyOf } = options
  if (!concurrencyOf) return claim(db, runId, options)
  const [run] = await query<LimitedRun & { counts: boolean; defined: number | null }>(
    db,
    `select id, job, account, status = 'queued' as counts, ${DEFINED_LIMIT} as defined
     from runs join job_versions v using (job) where id = $1 and v.version = job_version`,
    [runId],
    'claim scope',
  )
  // A run that is taken over has its slots already.
  const limits = run?.counts ? concurrencyOf(run.job, run.account, run.defined ?? undefined) : { job: undefined, account: undefined }
  if (!run || (limits.job === undefined && limits.account === undefined)) return claim(db, runId, options)
  return transaction(db, async (client) => {
    const full = await fullLimit(client, run, limits)
    if (full === undefined) return claim(client, runId, options)
    // The last of all reasons: a run with an obstacle is told that one.
    const held = await hold(client, runId, { by: full, obstacle: null })
    return held ? { kind: 'held', by: full, account: run.account } : refuse(client, runId, options)
  })
}

/**
 * A running run may be taken over when its worker was silent for $3 ms (its lease). By the same queue job ($2), which comes again when its lock in the
 * queue ran out, after a third of that: two heartbeats. The queue alone never decides: one that was frozen hands out again what is under way.
 */
const LEASE_OVER = `obstacle = 'running' and ${leaseOver('$3 / case when queue_job_id = $2 then 3.0 else 1.0 end')}`

const lostFailure = (failure: Omit<FailureRecord, 'retry'>, retry: FailureRecord['retry']) => JSON.stringify({ ...failure, retry })
const TAKEN_OVER = lostFailure({ code: 'WORKER_LOST', message: 'Another worker took the run over.' }, 'later')
const CANCELLED = lostFailure({ code: 'CANCELLED', message: 'The run was cancelled; its worker was gone by then.' }, 'never')

/** An attempt that its worker could not begin. */
const IS_UNFIT = "coalesce(failure ->> 'code' = 'WORKER_UNFIT', false)"

type ClaimedRow = Omit<OpenedAttempt, 'attempt' | 'resumed' | 'tookOver' | 'lost'> & {
  number: number
  /** Attempts of the conversation that this claim closed as lost, and that others did. */
  closed: number
  lost: number
  earlier: number
}

async function claim(db: Db | pg.PoolClient, runId: string, options: ClaimOptions): Promise<Claim> {
  const { worker, queueJobId, leaseMs } = options
  const token = randomUUID()
  const [row] = await query<ClaimedRow>(
    db,
    `with taken as (
       update claims set status = 'running', attempts = attempts + 1, queue_job_id = $2,
         heartbeat_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp()),
         next_attempt_at = null, held_by = null
       where id = $1 and (obstacle is null or (cancel_requested_at is null and ${LEASE_OVER}))
       returning id, job, account, job_version, trigger, input, conversation, attempts, created_at),
     lost as (
       update attempts set status = 'lost', finished_at = clock_timestamp(), failure = coalesce(failure, $6)
       where run_id = (select id from taken) and finished_at is null returning 1),
     opened as (
       insert into attempts (run_id, number, token, worker, conversation, job_version, status, started_at)
       select id, attempts, $4, $5, conversation, job_version, 'running', clock_timestamp()
       from taken, (select count(*) from lost) as first)
     select t.job, t.account, t.job_version as "jobVersion", t.input, t.trigger, t.conversation, t.attempts as number,
       t.created_at as "createdAt", (select tags from runs where id = t.id) as tags, v.definition, (select count(*)::int from lost) as closed, a.*
     from taken t join job_versions v on v.job = t.job and v.version = t.job_version,
       lateral (
         select count(*)::int as earlier, (count(*) filter (where status = 'failed' and not ${IS_UNFIT}))::int as failed,
           (count(*) filter (where status = 'lost'))::int as lost, (count(*) filter (where ${IS_UNFIT}))::int as unfit,
           (count(*) filter (where status = 'waiting'))::int as waited,
           (count(*) filter (where ${IS_STALLED}))::int as stalled
         from attempts where run_id = t.id and conversation = t.conversation) a`,
    [runId, queueJobId, leaseMs, token, worker, TAKEN_OVER],
    'open attempt',
  )
  if (!row) return refuse(db, runId, options)
  const { number, closed, earlier, lost, ...opened } = row
  return {
    kind: 'opened',
    opened: {
      ...opened,
      attempt: { runId, number, token },
      resumed: earlier > 0,
      // The one that was just closed is still open in the statement's view.
      lost: lost + closed,
      tookOver: closed > 0,
    },
  }
}

async function freeCancelled(db: Db | pg.PoolClient, runId: string, { queueJobId, leaseMs }: ClaimOptions): Promise<void> {
  await query(
    db,
    `with freed as (
       update claims set status = 'queued'
       where id = $1 and cancel_requested_at is not null and ${LEASE_OVER}
       returning id)
     update attempts set status = 'lost', failure = $4, finished_at = clock_timestamp()
     where run_id = (select id from freed) and finished_at is null`,
    [runId, queueJobId, leaseMs, CANCELLED],
    'free cancelled',
  )
}

/** Says why the run is not claimed. One that is to be cancelled is taken from a worker that is gone first, so that it can be ended. */
async function refuse(db: Db | pg.PoolClient, runId: string, options: ClaimOptions): Promise<Claim> {
  await freeCancelled(db, runId, options)
  return whyNot(db, runId)
}

/** How soon a run that must wait for another one is looked at again. */
const RETRY_CLAIM_MS = 1000

/** What the view `claims` knows to be in a run's way. */
type Obstacle = 'not-runnable' | 'running' | 'cancel-requested' | 'expired' | 'paused' | 'earlier-run' | 'not-due'

async function whyNot(db: Db | pg.PoolClient, runId: string): Promise<Claim> {
  const [run] = await query<{
    obstacle: Obstacle | null
    status: RunStatus
    account: string
    inMs: number
    expireAt: Date
    pause: string | null
  }>(
    db,
    `select obstacle, status, account, ${IN_MS}, expire_at as "expireAt",
       (select min(p.job) from pauses p where p.job in (c.job, '*')) as pause
     from claims c where id = $1`,
    [runId],
    'claim obstacle',
  )
  switch (run?.obstacle) {
    case undefined:
      return { kind: 'unknown' }
    case 'not-runnable':
      return { kind: 'not-runnable', status: run.status }
    case 'running':
      return { kind: 'busy' }
    case 'cancel-requested':
      return { kind: 'cancel-requested' }
    case 'expired':
      return { kind: 'expired', at: run.expireAt }
    case 'paused': {
      const by = holdName('pause', run.pause ?? '')
      if (await hold(db, runId, { by, obstacle: 'paused' })) return { kind: 'held', by, account: run.account }
      break
    }
    case 'not-due':
      return { kind: 'not-yet', inMs: run.inMs }
    case 'earlier-run':
    case null: // it was in the way a moment ago
  }
  return { kind: 'not-yet', inMs: RETRY_CLAIM_MS }
}
