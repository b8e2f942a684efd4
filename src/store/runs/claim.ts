import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { FailureRecord } from '../../core/failure.ts'
import type { AttemptRef, RunStatus, Trigger } from '../../core/run.ts'
import { query, transaction, type Db } from '../postgres/db.ts'
import { lockLimits } from './holds.ts'

export interface OpenedAttempt {
  attempt: AttemptRef
  job: string
  definition: unknown
  jobVersion: string
  input: unknown
  trigger: Trigger
  conversation: number
  createdAt: Date
  /** Earlier attempts belong to the same conversation: it goes on. A retry by an operator begins another one. */
  resumed: boolean
  /** Earlier attempts of the conversation that failed, and that were lost with their worker. */
  failed: number
  lost: number
  /** An earlier attempt was still open: its worker died or lost its lock. */
  tookOver: boolean
}

export type Claim =
  | { kind: 'opened'; opened: OpenedAttempt }
  | { kind: 'not-yet'; at: Date }
  | { kind: 'cancel-requested' }
  /** A pause, or a limit on runs at a time: it is woken when that is over. */
  | { kind: 'held'; by: string; account: string }
  /** Nobody took it before its `expireAt`. */
  | { kind: 'expired'; at: Date }
  /** Another worker holds it. */
  | { kind: 'busy' }
  | { kind: 'not-runnable'; status: RunStatus }
  | { kind: 'unknown' }

interface ClaimRow {
  opened: boolean
  job: string
  definition: unknown
  job_version: string
  input: unknown
  trigger: Trigger
  conversation: number
  number: number
  created_at: Date
  lost: number
  earlier: number
  earlier_failed: number
  earlier_lost: number
}

export interface ClaimOptions {
  worker: string
  /** The queue job that brought the run. */
  queueJobId: string
  /** A running attempt is taken over when its worker has not been heard of for this long. */
  staleAfterMs: number
  /** Most runs at a time of a job and of an account; undefined when no limit is set at all. */
  limitsOf?: ((job: string, account: string) => RunLimits) | undefined
}

export interface RunLimits {
  job: number | undefined
  account: number | undefined
}

/**
 * Opens the next attempt of a run for a worker. A running one is taken over when the queue hands out the same delivery again, which it does
 * only when the worker's lock ran out, or when its worker has gone silent. The attempt that was open is closed as lost, and its worker can
 * write no more: the update waits for the rows it is writing.
 */
export async function openAttempt(db: Db, runId: string, options: ClaimOptions): Promise<Claim> {
  const { limitsOf } = options
  if (!limitsOf) return claim(db, runId, options)
  const [run] = await query<{ job: string; account: string; counts: boolean }>(
    db,
    "select job, account, status = 'queued' and (expire_at is null or expire_at > now() or attempts > 0) as counts from runs where id = $1",
    [runId],
  )
  const limits = run?.counts ? limitsOf(run.job, run.account) : { job: undefined, account: undefined }
  if (!run || (limits.job === undefined && limits.account === undefined)) return claim(db, runId, options)
  return transaction(db, async (client) => {
    await lockLimits(client, {
      account: limits.account === undefined ? undefined : run.account,
      job: limits.job === undefined ? undefined : run.job,
    })
    for (const scope of ['account', 'job'] as const) {
      const limit = limits[scope]
      if (limit === undefined) continue
      const { rows } = await client.query<{ n: number }>(
        `select count(*)::int as n from runs where status = 'running' and finished_at is null and ${scope} = $1 and id <> $2`,
        [run[scope], runId],
      )
      if ((rows[0]?.n ?? 0) >= limit) return hold(client, { id: runId, account: run.account }, `${scope} ${run[scope]}`)
    }
    return claim(client, runId, options)
  })
}

/** Takes a queued run out of the queue until what holds it is over. */
async function hold(db: Db | pg.PoolClient, { id, account }: { id: string; account: string }, by: string): Promise<Claim> {
  await query(db, "update runs set held_by = $2, held_at = now(), holds = holds + 1 where id = $1 and status = 'queued'", [id, by])
  return { kind: 'held', by, account }
}

async function claim(db: Db | pg.PoolClient, runId: string, { worker, queueJobId, staleAfterMs }: ClaimOptions): Promise<Claim> {
  const token = randomUUID()
  const rows = await query<ClaimRow>(
    db,
    `with taken as (
       update runs set status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now()), next_attempt_at = null, held_by = null, delivery = $5, heartbeat_at = now()
       where id = $1 and cancel_requested_at is null
         and not exists (select 1 from runs earlier where earlier.id = runs.after_run and earlier.finished_at is null) and (
         (status = 'queued' and (next_attempt_at is null or next_attempt_at <= now()) and (expire_at is null or expire_at > now() or attempts > 0)
           and not exists (select 1 from pauses p where p.job in (runs.job, '*')))
         or (status = 'running' and (delivery = $5 or heartbeat_at < now() - make_interval(secs => $6 / 1000.0))))
       returning *),
     lost as (
       update attempts set status = 'lost', finished_at = now(), failure = $4
       where run_id = (select id from taken) and finished_at is null returning 1),
     opened as (
       insert into attempts (run_id, number, token, worker, conversation, job_version, status)
       select id, attempts, $2, $3, conversation, job_version, 'running' from taken, (select count(*) from lost) as first)
     select true as opened, t.job, t.job_version, t.input, t.trigger, t.conversation, t.attempts as number, t.created_at, v.definition, (select count(*)::int from lost) as lost,
       e.earlier, e.earlier_failed, e.earlier_lost
     from taken t join job_versions v on v.job = t.job and v.version = t.job_version,
       lateral (select count(*)::int as earlier, (count(*) filter (where a.status = 'failed'))::int as earlier_failed,
         (count(*) filter (where a.status = 'lost'))::int as earlier_lost from attempts a where a.run_id = t.id and a.conversation = t.conversation) e`,
    [
      runId, token, worker, JSON.stringify({ code: 'WORKER_LOST', message: 'Another worker took the run over.', retry: 'later' } satisfies FailureRecord),
      queueJobId, staleAfterMs,
    ], // prettier-ignore
    'open attempt',
  )
  const row = rows[0]
  if (!row) {
    await freeCancelled(db, runId, queueJobId, staleAfterMs)
    return whyNot(db, runId)
  }
  return {
    kind: 'opened',
    opened: {
      attempt: { runId, number: row.number, token },
      job: row.job,
      definition: row.definition,
      jobVersion: row.job_version,
      input: row.input,
      trigger: row.trigger,
      conversation: row.conversation,
      createdAt: row.created_at,
      resumed: row.earlier > 0,
      failed: row.earlier_failed,
      // The one that was just closed is still open in the statement's view.
      lost: row.earlier_lost + row.lost,
      tookOver: row.lost > 0,
    },
  }
}

/** Takes a run whose cancel was asked for from a worker that is gone, so that it can be ended. */
async function freeCancelled(db: Db | pg.PoolClient, runId: string, queueJobId: string, staleAfterMs: number): Promise<void> {
  await query(
    db,
    `with freed as (
       update runs set status = 'queued'
       where id = $1 and status = 'running' and cancel_requested_at is not null and (delivery = $2 or heartbeat_at < now() - make_interval(secs => $3 / 1000.0))
       returning id)
     update attempts set status = 'lost', failure = $4, finished_at = now() where run_id = (select id from freed) and finished_at is null`,
    [
      runId, queueJobId, staleAfterMs,
      JSON.stringify({ code: 'CANCELLED', message: 'The run was cancelled; its worker was gone by then.', retry: 'never' } satisfies FailureRecord),
    ], // prettier-ignore
    'free cancelled',
  )
}

/** How soon a run that must wait for another one is looked at again. */
const LOOK_AGAIN_MS = 1000

async function whyNot(db: Db | pg.PoolClient, runId: string): Promise<Claim> {
  const [row] = await query<{
    status: RunStatus
    account: string
    next_attempt_at: Date | null
    cancel_requested_at: Date | null
    paused: string | null
    expired_at: Date | null
  }>(
    db,
    `select status, account, next_attempt_at, cancel_requested_at,
       (select p.job from pauses p where p.job in (runs.job, '*') order by p.job limit 1) as paused,
       case when attempts = 0 and expire_at <= now() then expire_at end as expired_at
     from runs where id = $1`,
    [runId],
  )
  if (!row) return { kind: 'unknown' }
  if (row.cancel_requested_at && row.status === 'queued') return { kind: 'cancel-requested' }
  if (row.status === 'running') return { kind: 'busy' }
  if (row.status !== 'queued') return { kind: 'not-runnable', status: row.status }
  if (row.expired_at) return { kind: 'expired', at: row.expired_at }
  if (row.paused !== null) return hold(db, { id: runId, account: row.account }, `pause ${row.paused}`)
  const { next_attempt_at: due } = row
  return { kind: 'not-yet', at: due && due.getTime() > Date.now() ? due : new Date(Date.now() + LOOK_AGAIN_MS) }
}
