import type { Wake } from '../../core/ports/wake.ts'
import type pg from 'pg'
import type { FailureRecord } from '../../core/failure.ts'
import {
  PRIORITIES,
  type AttemptRef,
  type FinalStatus,
  type Priority,
  type Reason,
  type RunStatus,
  type Trigger,
  type Usage,
} from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { patiently, query, type Db } from '../postgres/db.ts'

export interface NewRun {
  id: string
  job: string
  jobVersion: string
  account: string
  trigger: Trigger
  input: unknown
  retryOf?: string | undefined
  /** Who asked: a user of Pomerium, an API token, a user of this machine. */
  requestedBy?: string | undefined
  priority?: Priority | undefined
  startAt?: Date | undefined
  expireAt?: Date | undefined
  /** The run that must be over before this one starts. */
  afterRun?: string | undefined
}

/** Keeps a job's definition under its digest, and inserts the run: one statement, so a run never lacks its definition. */
export async function insertRun(db: Db | pg.PoolClient, run: NewRun, definition: unknown): Promise<void> {
  await query(
    db,
    `with version as (insert into job_versions (job, version, definition) values ($2, $3, $4) on conflict do nothing)
     insert into runs (id, job, job_version, status, account, trigger, input, retry_of, after_run, requested_by, priority, next_attempt_at, expire_at)
       values ($1, $2, $3, 'queued', $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
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
      run.requestedBy ?? null,
      PRIORITIES[run.priority ?? 'normal'],
      run.startAt ?? null,
      run.expireAt ?? null,
    ],
    'insert run',
  )
}

/** A report to be sent, or one that its `when` rules out, kept so that it is known why. */
export interface NewDelivery {
  id: string
  target: unknown
  status: 'pending' | 'skipped'
}

/** The part of a statement that writes the reports of what it `ended` (run_id, attempt), with `deliveryValues` as its parameters from `first` on. */
export const postDeliveries = (first: number) =>
  `insert into deliveries (id, run_id, attempt, target, status, ended_at) select d.id, e.run_id, e.attempt, d.target, d.status, case when d.status = 'skipped' then now() end
   from ended e, unnest($${first}::uuid[], $${first + 1}::json[], $${first + 2}::text[]) as d(id, target, status)`

export const deliveryValues = (deliveries: readonly NewDelivery[] = []): string[][] => [
  deliveries.map(({ id }) => id),
  deliveries.map(({ target }) => JSON.stringify(target)),
  deliveries.map(({ status }) => status),
]

export interface RunEnd {
  status: FinalStatus
  output?: unknown
  outputText?: string | undefined
  reasons: Reason[]
  failure: FailureRecord | null
  usage: Usage
  costUsd: number | null
  /** Digest of the output, for whoever wants to know whether it changed. */
  outputDigest?: string | undefined
  /** Words by which it is found. */
  searchText?: string
  /** Where the report goes: written with the end, so that none is forgotten. */
  deliveries?: readonly NewDelivery[]
}

export interface Finished {
  /** False: the attempt was not the open one, and nothing was written. */
  held: boolean
  /** Runs that waited for this one to be over. */
  next: Wake[]
}

/** Ends the attempt and the run together. */
export async function finishRun(db: Db, attempt: AttemptRef, end: RunEnd): Promise<Finished> {
  const rows = await patiently(() =>
    query<{ next: Wake[] }>(
      db,
      `with ended as (
       update attempts set status = $4, failure = $5, finished_at = now() where run_id = $1 and number = $2 and token = $3 and finished_at is null returning run_id, number as attempt),
     posted as (${postDeliveries(17)})
     update runs set status = $4, failure = $5, output = $6, output_text = $7, reasons = $8, input_tokens = $9, cached_tokens = $10, output_tokens = $11,
       reasoning_tokens = $12, cost_usd = $13, finished_at = now(), codes = $14, output_digest = $15, words = to_tsvector('simple', $16),
       tools = array(select distinct t.server || '.' || (t.tool #>> '{}') from tool_calls t where t.run_id = runs.id and t.status <> 'refused' and t.tool::text !~ '\\\\u(0000|d[89a-f])')
     where id = (select run_id from ended) returning coalesce((select json_agg(json_build_object('id', later.id, 'round', later.attempts + later.holds, 'priority', later.priority)) from runs later
       where later.after_run = runs.id and later.status = 'queued'), '[]') as next`,
      [
        attempt.runId, attempt.number, attempt.token, end.status, end.failure && JSON.stringify(end.failure),
        end.output === undefined ? null : JSON.stringify(end.output), end.outputText === undefined ? null : JSON.stringify(end.outputText), JSON.stringify(end.reasons),
        end.usage.inputTokens, end.usage.cachedTokens, end.usage.outputTokens, end.usage.reasoningTokens, end.costUsd, codesOf(end),
        end.outputDigest ?? null, storeText(end.searchText ?? ''), ...deliveryValues(end.deliveries),
      ], // prettier-ignore
      'finish run',
    ),
  )
  const [row] = rows
  return row ? { held: true, next: row.next } : { held: await hasEnded(db, attempt, end.status), next: [] }
}

const codesOf = ({ failure, reasons }: RunEnd) => [...new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)])]

/** A write whose answer was lost with the connection may have been done, and then finds nothing left to do. */
async function hasEnded(db: Db, attempt: AttemptRef, status: string): Promise<boolean> {
  const rows = await query(
    db,
    'select 1 from attempts where run_id = $1 and number = $2 and token = $3 and status = $4 and finished_at is not null',
    [attempt.runId, attempt.number, attempt.token, status],
  )
  return rows.length > 0
}

/** A run as an attempt left it. */
export interface PausedRun extends Wake {
  status: 'queued' | 'waiting'
  /** When it may go on; null: now. */
  at: Date | null
}

/**
 * Ends the attempt and leaves the run queued for a later one, or waiting for a person. One whose cancel was asked for meanwhile is queued for now: who
 * takes it ends it. Returns the run for the queue; undefined when the attempt is not the open one.
 */
export async function pauseRun(
  db: Db,
  attempt: AttemptRef,
  pause: {
    status: 'queued' | 'waiting'
    failure: FailureRecord | null
    nextAttemptAt: Date | null
    attemptStatus: 'failed' | 'waiting' | 'lost'
  },
): Promise<PausedRun | undefined> {
  const [row] = await patiently(() =>
    query<PausedRun>(
      db,
      `with ended as (
       update attempts set status = $4, failure = $5, finished_at = now() where run_id = $1 and number = $2 and token = $3 and finished_at is null returning run_id)
     update runs set status = case when cancel_requested_at is null then $6 else 'queued' end, next_attempt_at = case when cancel_requested_at is null then $7::timestamptz end,
         failure = $5, codes = $8 where id = (select run_id from ended) returning ${PAUSED}`,
      [
        attempt.runId,
        attempt.number,
        attempt.token,
        pause.attemptStatus,
        pause.failure && JSON.stringify(pause.failure),
        pause.status,
        pause.nextAttemptAt,
        pause.failure ? [pause.failure.code] : [],
      ],
      'pause run',
    ),
  )
  if (row || !(await hasEnded(db, attempt, pause.attemptStatus))) return row
  const [known] = await query<PausedRun>(db, `select ${PAUSED} from runs where id = $1`, [attempt.runId])
  return known
}

/** Asks the worker of a run to cancel it. Returns the status of the run, which stays what it is. */
export async function requestCancel(db: Db, runId: string): Promise<RunStatus | undefined> {
  const [row] = await query<{ status: RunStatus }>(
    db,
    `update runs set cancel_requested_at = case when finished_at is null then coalesce(cancel_requested_at, now()) else cancel_requested_at end where id = $1 returning status`,
    [runId],
  )
  return row?.status
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
export async function heartbeat(db: Db, worker: string, attempts: readonly { runId: string; delivery: string }[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `with mine as (select * from unnest($1::text[], $2::text[]) as m(id, delivery)),
     beat as (update runs r set heartbeat_at = now() from mine m, attempts a
       where r.id = m.id and r.delivery = m.delivery and a.run_id = r.id and a.finished_at is null and a.worker = $3 returning r.id)
     select id from mine where id not in (select id from beat)`,
    [attempts.map((a) => a.runId), attempts.map((a) => a.delivery), worker],
    'heartbeat',
  )
  return rows.map((row) => row.id)
}

/** A run for the queue. */
/** Columns of a `Wake`. */
export const WAKEABLE = 'id, attempts + holds as round, priority'
const PAUSED = `${WAKEABLE}, status, next_attempt_at as at`

/**
 * Runs that ought to be in the queue: queued, held back by no other, and due for longer than `olderThanMs`, or running under a worker that was not heard of for
 * `staleAfterMs`. Waking one that is in the queue already does nothing.
 */
export async function listWakeable(
  db: Db,
  { olderThanMs, staleAfterMs, limit = 1000 }: { olderThanMs: number; staleAfterMs: number; limit?: number },
): Promise<Wake[]> {
  return query<Wake & pg.QueryResultRow>(
    db,
    `select ${WAKEABLE} from runs where finished_at is null and (
       (status = 'queued' and held_by is null and not exists (select 1 from runs earlier where earlier.id = runs.after_run and earlier.finished_at is null)
         and greatest(created_at, next_attempt_at) < now() - make_interval(secs => $1 / 1000.0))
       or (status = 'running' and heartbeat_at < now() - make_interval(secs => $2 / 1000.0)))
     order by priority, id limit $3`,
    [olderThanMs, staleAfterMs, limit],
  )
}
