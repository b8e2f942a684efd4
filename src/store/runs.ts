import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { FailureRecord } from '../core/failure.ts'
import type { AttemptRef, FinalStatus, Reason, RunStatus, Trigger, Usage } from '../core/run.ts'
import { patiently, query, transaction, type Db } from './db.ts'

export interface NewRun {
  id: string
  job: string
  jobVersion: string
  account: string
  trigger: Trigger
  input: unknown
  retryOf?: string | undefined
  /** The run that must be over before this one starts. */
  afterRun?: string | undefined
}

/** Keeps a job's definition under its digest, and inserts the run: one statement, so a run never lacks its definition. */
export async function insertRun(db: Db | pg.PoolClient, run: NewRun, definition: unknown): Promise<void> {
  await query(
    db,
    `with version as (insert into job_versions (job, version, definition) values ($2, $3, $4) on conflict do nothing)
     insert into runs (id, job, job_version, status, account, trigger, input, retry_of, after_run) values ($1, $2, $3, 'queued', $5, $6, $7, $8, $9)`,
    [
      run.id,
      run.job,
      run.jobVersion,
      JSON.stringify(definition),
      run.account,
      JSON.stringify(run.trigger),
      JSON.stringify(run.input),
      run.retryOf ?? null,
      run.afterRun ?? null,
    ],
    'insert run',
  )
}

export interface OpenedAttempt {
  attempt: AttemptRef
  job: string
  definition: unknown
  jobVersion: string
  input: unknown
  trigger: Trigger
  conversation: number
  createdAt: Date
  /** Which attempt of its conversation this is, from 1: a retry by an operator begins another conversation. */
  attemptInConversation: number
  /** An earlier attempt was still open: its worker died or lost its lock. */
  tookOver: boolean
}

export type Claim =
  | { kind: 'opened'; opened: OpenedAttempt }
  | { kind: 'not-yet'; at: Date }
  | { kind: 'cancel-requested'; status: RunStatus }
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
}

export interface ClaimOptions {
  worker: string
  /** The queue job that brought the run. */
  delivery: string
  /** A running attempt is taken over when its worker has not been heard of for this long. */
  staleAfterMs: number
}

/**
 * Opens the next attempt of a run for a worker. A running one is taken over when the queue hands out the same delivery again, which it does
 * only when the worker's lock ran out, or when its worker has gone silent. The attempt that was open is closed as lost, and its worker can
 * write no more: the update waits for the rows it is writing.
 */
export async function openAttempt(db: Db, runId: string, { worker, delivery, staleAfterMs }: ClaimOptions): Promise<Claim> {
  const token = randomUUID()
  const rows = await query<ClaimRow>(
    db,
    `with taken as (
       update runs set status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now()), next_attempt_at = null, delivery = $5, heartbeat_at = now()
       where id = $1 and cancel_requested_at is null
         and not exists (select 1 from runs earlier where earlier.id = runs.after_run and earlier.finished_at is null) and (
         (status = 'queued' and (next_attempt_at is null or next_attempt_at <= now()))
         or (status = 'running' and (delivery = $5 or heartbeat_at < now() - make_interval(secs => $6 / 1000.0))))
       returning *),
     lost as (
       update attempts set status = 'lost', finished_at = now(), failure = $4
       where run_id = (select id from taken) and finished_at is null returning 1),
     opened as (
       insert into attempts (run_id, number, token, worker, conversation, job_version, status)
       select id, attempts, $2, $3, conversation, job_version, 'running' from taken, (select count(*) from lost) as first)
     select true as opened, t.job, t.job_version, t.input, t.trigger, t.conversation, t.attempts as number, t.created_at, v.definition, (select count(*)::int from lost) as lost,
       (select count(*)::int from attempts a where a.run_id = t.id and a.conversation = t.conversation) as earlier
     from taken t join job_versions v on v.job = t.job and v.version = t.job_version`,
    [
      runId, token, worker, JSON.stringify({ code: 'WORKER_LOST', message: 'Another worker took the run over.', retry: 'later' } satisfies FailureRecord),
      delivery, staleAfterMs,
    ], // prettier-ignore
    'open attempt',
  )
  const row = rows[0]
  if (!row) {
    await endCancelled(db, runId, delivery, staleAfterMs)
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
      attemptInConversation: row.earlier + 1,
      tookOver: row.lost > 0,
    },
  }
}

/** A run whose cancel was asked for and whose worker is gone: nobody else would end it. */
async function endCancelled(db: Db, runId: string, delivery: string, staleAfterMs: number): Promise<void> {
  await query(
    db,
    `with over as (
       update runs set status = 'cancelled', failure = $4, finished_at = now()
       where id = $1 and status = 'running' and cancel_requested_at is not null and (delivery = $2 or heartbeat_at < now() - make_interval(secs => $3 / 1000.0))
       returning id)
     update attempts set status = 'lost', failure = $4, finished_at = now() where run_id = (select id from over) and finished_at is null`,
    [
      runId, delivery, staleAfterMs,
      JSON.stringify({ code: 'CANCELLED', message: 'The run was cancelled; its worker was gone by then.', retry: 'never' } satisfies FailureRecord),
    ], // prettier-ignore
    'end cancelled',
  )
}

/** How soon a run that must wait for another one is looked at again. */
const LOOK_AGAIN_MS = 1000

async function whyNot(db: Db, runId: string): Promise<Claim> {
  const [row] = await query<{ status: RunStatus; next_attempt_at: Date | null; cancel_requested_at: Date | null }>(
    db,
    'select status, next_attempt_at, cancel_requested_at from runs where id = $1',
    [runId],
  )
  if (!row) return { kind: 'unknown' }
  if (row.cancel_requested_at && row.status === 'queued') return { kind: 'cancel-requested', status: row.status }
  if (row.status === 'running') return { kind: 'busy' }
  if (row.status !== 'queued') return { kind: 'not-runnable', status: row.status }
  const { next_attempt_at: due } = row
  return { kind: 'not-yet', at: due && due.getTime() > Date.now() ? due : new Date(Date.now() + LOOK_AGAIN_MS) }
}

export interface RunEnd {
  status: FinalStatus
  output?: unknown
  outputText?: string | undefined
  reasons: Reason[]
  failure: FailureRecord | null
  usage: Usage
  costUsd: number | null
}

export interface Finished {
  /** False: the attempt was not the open one, and nothing was written. */
  held: boolean
  /** Runs that waited for this one to be over. */
  next: string[]
}

/** Ends the attempt and the run together. */
export async function finishRun(db: Db, attempt: AttemptRef, end: RunEnd): Promise<Finished> {
  const rows = await patiently(() =>
    query<{ next: string[] }>(
      db,
      `with ended as (
       update attempts set status = $4, failure = $5, finished_at = now() where run_id = $1 and number = $2 and token = $3 and finished_at is null returning run_id)
     update runs set status = $4, failure = $5, output = $6, output_text = $7, reasons = $8, input_tokens = $9, cached_tokens = $10, output_tokens = $11,
       reasoning_tokens = $12, cost_usd = $13, finished_at = now()
     where id = (select run_id from ended) returning array(select id from runs later where later.after_run = runs.id and later.status = 'queued') as next`,
      [
        attempt.runId, attempt.number, attempt.token, end.status, end.failure && JSON.stringify(end.failure),
        end.output === undefined ? null : JSON.stringify(end.output), end.outputText === undefined ? null : JSON.stringify(end.outputText), JSON.stringify(end.reasons),
        end.usage.inputTokens, end.usage.cachedTokens, end.usage.outputTokens, end.usage.reasoningTokens, end.costUsd,
      ], // prettier-ignore
      'finish run',
    ),
  )
  const [row] = rows
  return row ? { held: true, next: row.next } : { held: await hasEnded(db, attempt, end.status), next: [] }
}

/** A write whose answer was lost with the connection may have been done, and then finds nothing left to do. */
async function hasEnded(db: Db, attempt: AttemptRef, status: string): Promise<boolean> {
  const rows = await query(
    db,
    'select 1 from attempts where run_id = $1 and number = $2 and token = $3 and status = $4 and finished_at is not null',
    [attempt.runId, attempt.number, attempt.token, status],
  )
  return rows.length > 0
}

/** Ends the attempt and leaves the run queued for a later one, or waiting for a person. False when the attempt is not the open one. */
export async function pauseRun(
  db: Db,
  attempt: AttemptRef,
  pause: {
    status: 'queued' | 'waiting'
    failure: FailureRecord | null
    nextAttemptAt: Date | null
    attemptStatus: 'failed' | 'waiting' | 'lost'
  },
): Promise<boolean> {
  const rows = await patiently(() =>
    query(
      db,
      `with ended as (
       update attempts set status = $4, failure = $5, finished_at = now() where run_id = $1 and number = $2 and token = $3 and finished_at is null returning run_id)
     update runs set status = $6, failure = $5, next_attempt_at = $7 where id = (select run_id from ended) returning id`,
      [
        attempt.runId,
        attempt.number,
        attempt.token,
        pause.attemptStatus,
        pause.failure && JSON.stringify(pause.failure),
        pause.status,
        pause.nextAttemptAt,
      ],
      'pause run',
    ),
  )
  return rows.length > 0 || (await hasEnded(db, attempt, pause.attemptStatus))
}

/** Asks that a run be cancelled. A run that no worker holds is cancelled at once. */
export async function requestCancel(db: Db, runId: string): Promise<RunStatus | undefined> {
  return transaction(db, async (client) => {
    const { rows } = await client.query<{ status: RunStatus }>(
      `update runs set cancel_requested_at = coalesce(cancel_requested_at, now()),
         status = case when status in ('queued', 'waiting') then 'cancelled' else status end,
         finished_at = case when status in ('queued', 'waiting') then now() else finished_at end
       where id = $1 returning status`,
      [runId],
    )
    return rows[0]?.status
  })
}

/** Runs of a worker whose cancel was asked for. */
export async function cancelRequested(db: Db, runIds: readonly string[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    'select id from runs where id = any($1) and cancel_requested_at is not null',
    [runIds],
    'cancel requested',
  )
  return rows.map((row) => row.id)
}

/** Says that a worker still does these attempts. Returns the ids of the runs that are not its own any more. */
export async function heartbeat(db: Db, attempts: readonly { runId: string; delivery: string }[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `with mine as (select * from unnest($1::text[], $2::text[]) as m(id, delivery)),
     beat as (update runs r set heartbeat_at = now() from mine m where r.id = m.id and r.delivery = m.delivery returning r.id)
     select id from mine where id not in (select id from beat)`,
    [attempts.map((a) => a.runId), attempts.map((a) => a.delivery)],
    'heartbeat',
  )
  return rows.map((row) => row.id)
}

export interface WakeableRun {
  id: string
  attempts: number
}

/**
 * Runs that ought to be in the queue: queued, held back by no other, and due for longer than `olderThanMs`, or running under a worker that was not heard of for
 * `staleAfterMs`. Waking one that is in the queue already does nothing.
 */
export async function listWakeable(
  db: Db,
  { olderThanMs, staleAfterMs, limit = 1000 }: { olderThanMs: number; staleAfterMs: number; limit?: number },
): Promise<WakeableRun[]> {
  return query<WakeableRun & pg.QueryResultRow>(
    db,
    `select id, attempts from runs where finished_at is null and (
       (status = 'queued' and not exists (select 1 from runs earlier where earlier.id = runs.after_run and earlier.finished_at is null)
         and greatest(created_at, next_attempt_at) < now() - make_interval(secs => $1 / 1000.0))
       or (status = 'running' and heartbeat_at < now() - make_interval(secs => $2 / 1000.0)))
     order by created_at limit $3`,
    [olderThanMs, staleAfterMs, limit],
  )
}
