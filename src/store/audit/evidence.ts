import type { CloudEvent } from '../../core/cloud-event.ts'
import { withAdvisoryLock } from '../postgres/advisory-lock.ts'
import { query, queryIso, slowQuery, type Db } from '../postgres/db.ts'

export interface EventRow {
  requestId: string
  time: string
  method: string
  host: string
  path: string
  ip: string
  userId: string
  accountId: string | null
  mcpMethod: string | null
  mcpTool: string | null
  paramsDigest: string | null
  runHeader: string | null
  allowed: boolean
  reasons: string[]
  matchedBy: string
  gatewayRequest: string | null
  toolCallId: string | null
}

/** Lines of Pomerium's log that belong to a run, in their order. */
export async function loadEvents(db: Db, runId: string): Promise<EventRow[]> {
  return queryIso<EventRow & { time: string }>(
    db,
    `select request_id as "requestId", time, method, host, path, ip, user_id as "userId", account_id as "accountId",
       mcp_method as "mcpMethod", mcp_tool as "mcpTool", params_digest as "paramsDigest",
       run_header as "runHeader", allowed, reasons, matched_by as "matchedBy",
       gateway_request as "gatewayRequest", tool_call_id as "toolCallId"
     from authorize_events where run_id = $1 and matched_by is not null order by authorize_events.time, id`,
    [runId],
  )
}

/** Versions of a run's job that its attempts used. */
export async function loadDefinitions(db: Db, runId: string): Promise<{ version: string; definition: unknown }[]> {
  return query<{ version: string; definition: unknown }>(
    db,
    `select v.version, v.definition from job_versions v join runs r on r.job = v.job
     where r.id = $1 and v.version in (select job_version from attempts where run_id = $1) order by v.version`,
    [runId],
  )
}

/** What a checkpoint says of a run by the first rule, runs/1: one digest of what is shown of it. */
export interface CheckpointedView {
  id: string
  attempts: number
  digest: string
}

/** By the rule runs/2: of all columns of its rows but those that change by right. */
export interface CheckpointedRows {
  rule: 'runs/2'
  id: string
  attempts: number
  conversation: number
  finishedAt: string | null
  retryOf: string | null
  kept: string
  content: string
  state: string
  /** Keys of rows that were not settled yet, by table. */
  open: Readonly<Record<string, readonly string[]>>
}

/** By the rule runs/3: also of its earlier ends and of what people did to it, and with what a removal and a later end are held to. By the rule runs/4: also of `KEPT_4`. */
export interface CheckpointedRows3 extends Omit<CheckpointedRows, 'rule'> {
  rule: 'runs/3' | 'runs/4'
  status: string
  /** Digest of its end, as it is kept once the run goes on. */
  end: string
  /** Ids of the acts upon it. */
  acts: readonly string[]
}

export type CheckpointedRun = CheckpointedView | CheckpointedRows | CheckpointedRows3

/** Rows of a table beside the runs, as a checkpoint lists them. */
export interface RecordList {
  rule: string
  rows: readonly { mark: string; said: Readonly<Record<string, string | null>>; kept: string }[]
}

/** Runs that ended before `until` and are in no checkpoint as they are now. Of those that retention emptied before, what is left is signed. */
export async function listUncheckpointed(db: Db, until: Date, limit: number): Promise<{ id: string; attempts: number }[]> {
  return slowQuery<{ id: string; attempts: number }>(
    db,
    `select id, attempts from runs
     where finished_at < $1 and (checkpointed_attempts is null or checkpointed_attempts < attempts) order by finished_at, id limit $2`,
    [until, limit],
  )
}

/** How many runs ended before `until` and are in no checkpoint, `most` at most; without those that are signed once more only for what was open then. */
export async function countUncheckpointed(db: Db, until: Date, most: number): Promise<number> {
  const [row] = await slowQuery<{ n: number }>(
    db,
    `select count(*)::int as n from (
       select from runs where finished_at < $1 and (checkpointed_attempts is null or checkpointed_attempts between 1 and attempts - 1) limit $2) r`,
    [until, most],
  )
  return row?.n ?? 0
}

/** The elements of a list that stands in a checkpoint; whoever wrote the store may have put anything there (SQL). */
export const elementsOf = (list: string): string => `json_array_elements(case json_typeof(${list}) when 'array' then ${list} else '[]' end)`

/** What each checkpoint says, in their order, without its list of runs. */
export async function loadDocuments(db: Db): Promise<{ number: number; document: unknown }[]> {
  return query<{ number: number; document: unknown }>(db, 'select number, document from checkpoints order by number')
}

/** The first checkpoint that has the run as it stands, by the rule runs/3 or a later one; undefined where there is none. */
export async function findSignedRun(db: Db, runId: string): Promise<number | undefined> {
  const [row] = await slowQuery<{ number: number }>(
    db,
    // A process that takes one may have another time than the store.
    `select c.number from checkpoints c join runs r on r.id = $1 and c.taken_at > r.finished_at - interval '1 day'
     where exists (
       select from ${elementsOf('c.runs')} e
       where e ->> 'id' = r.id and e ->> 'rule' in ('runs/3', 'runs/4') and e ->> 'conversation' = r.conversation::text and e ->> 'attempts' = r.attempts::text)
     order by c.number limit 1`,
    [runId],
  )
  return row?.number
}

/** What a checkpoint lists. */
export interface CheckpointLists {
  takenAt: Date | undefined
  runs: unknown
  lines: unknown
  records: unknown
}

export async function loadCheckpointLists(db: Db, number: number): Promise<CheckpointLists> {
  const [row] = await slowQuery<CheckpointLists & { lines: unknown }>(
    db,
    'select taken_at as "takenAt", runs, lines, records from checkpoints where number = $1',
    [number],
  )
  return row ?? { takenAt: undefined, runs: [], lines: [], records: [] }
}

export interface NewCheckpoint {
  number: number
  runs: CheckpointedRun[]
  lines: unknown[]
  records: readonly RecordList[]
  takenAt: Date
  document: unknown
  /** Sent as alarms are. */
  told?: CloudEvent
}

/** For so long rows of a run may be settled after its end, such as its reports: it is signed once more after that, where any was open. */
const OPEN_FOR = "interval '3 days'"

/** Writes the next checkpoint, one at a time over all processes. `make` is given those before. Nothing is written when it returns undefined. */
export async function addCheckpoint(
  db: Db,
  make: (documents: { number: number; document: unknown }[]) => Promise<NewCheckpoint | undefined>,
): Promise<void> {
  return withAdvisoryLock(db, 'checkpoint', async () => {
    const made = await make(await loadDocuments(db))
    if (!made) return
    const { number, runs, lines, records, takenAt, document, told } = made
    await slowQuery(
      db,
      `with checkpoint as (insert into checkpoints (number, taken_at, runs, document, lines, records) values ($1, $2, $3, $4, $9, $10)),
       told as (insert into alarms (id, body) select $7::uuid, $8::json where $7 is not null)
       update runs r set checkpointed_attempts = case when c.is_open and r.finished_at > now() - ${OPEN_FOR} then 0 else c.attempts end
       from unnest($5::text[], $6::int[], $11::boolean[]) as c(id, attempts, is_open) where r.id = c.id`,
      [
        number,
        takenAt,
        JSON.stringify(runs),
        JSON.stringify(document),
        runs.map(({ id }) => id),
        runs.map(({ attempts }) => attempts),
        told?.id ?? null,
        told ? JSON.stringify(told) : null,
        JSON.stringify(lines),
        JSON.stringify(records),
        runs.map((run) => 'rule' in run && Object.keys(run.open).length > 0),
      ],
    )
  })
}

/** Number of the newest checkpoint; 0 before the first. */
export async function newestCheckpoint(db: Db): Promise<number> {
  const [row] = await query<{ number: number }>(db, 'select coalesce(max(number), 0) as number from checkpoints', [], 'newest checkpoint')
  return row?.number ?? 0
}

const FINAL = "('succeeded', 'incomplete', 'failed', 'cancelled')"
const intOf = (name: string) => `max(case when e ->> '${name}' ~ '^[0-9]{1,9}$' then (e ->> '${name}')::int end)`

/** Runs that ended, of whose last end no checkpoint says anything. */
export interface Uncovered {
  runs: number
  /** Of these the ones that ended two days ago or more, or say that they will have ended, or not when: checkpoints passed them by. */
  overdue: number
  /** The one that ended first, and the one that ended last; null where there is none. */
  oldest: EndedRun | null
  newest: EndedRun | null
}

export interface EndedRun {
  id: string
  /** Null: it does not say when it ended. */
  finishedAt: string | null
}

/** Counts what no checkpoint covers. */
export async function findUncovered(db: Db): Promise<Uncovered> {
  const endedRun = (order: string) =>
    `(select json_build_object('id', id, 'finishedAt', to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) from uncovered order by finished_at ${order}, id limit 1)`
  const [row] = await slowQuery<Uncovered>(
    db,
    `with listed as materialized (
       select e ->> 'id' as id, ${intOf('attempts')} as attempts, ${intOf('conversation')} as conversation
       from checkpoints c, ${elementsOf('c.runs')} e group by 1),
     uncovered as materialized (
       select r.id, r.finished_at from runs r left join listed l on l.id = r.id
       where (r.finished_at is not null or r.status in ${FINAL})
         and (l.attempts is null or l.attempts < r.attempts or l.conversation < r.conversation))
     select count(*)::int as runs,
       (count(*) filter (where finished_at is null or finished_at < now() - interval '2 days' or finished_at > now() + interval '1 day'))::int as overdue,
       ${endedRun('nulls first')} as oldest, ${endedRun('desc nulls last')} as newest
     from uncovered`,
  )
  return row ?? { runs: 0, overdue: 0, oldest: null, newest: null }
}

/** Of these runs, those that retention removed, with the time of that. */
export async function listRemoved(db: Db, ids: readonly string[]): Promise<Map<string, Date>> {
  const rows = await query<{ id: string; at: Date }>(db, 'select run_id as id, pruned_at as at from pruned_runs where run_id = any($1)', [
    ids,
  ])
  return new Map(rows.map(({ id, at }) => [id, at]))
}

/** The store's own time. */
export async function storeNow(db: Db): Promise<Date> {
  const [row] = await query<{ now: Date }>(db, 'select now()')
  return row?.now ?? new Date()
}
