// @ts-nocheck
import { query, transaction, type Db } from '../postgres/db.ts'

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
  const rows = await query<Omit<EventRow, 'time'> & { time: Date }>(
    db,
    `select request_id as "requestId", time, method, host, path, ip, user_id as "userId", account_id as "accountId", mcp_method as "mcpMethod", mcp_tool as "mcpTool",
       params_digest as "paramsDigest", run_header as "runHeader", allowed, reasons, matched_by as "matchedBy", gateway_request as "gatewayRequest", tool_call_id as "toolCallId"
     from authorize_events where run_id = $1 and matched_by is not null order by time, id`,
    [runId],
  )
  return rows.map((row) => ({ ...row, time: row.time.toISOString() }))
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

export interface CheckpointedRun {
  id: string
  attempts: number
  digest: string
}

export interface CheckpointRow {
  number: number
  runs: CheckpointedRun[]
  document: unknown
}

/** Runs that ended before `until` and are in no checkpoint as they are now. */
export async function listUncheckpointed(db: Db, until: Date, limit: number): Promise<{ id: string; attempts: number }[]> {
  return query<{ id: string; attempts: number }>(
    db,
    `select id, attempts from runs where finished_at < $1 and (checkpointed_attempts is null or checkpointed_attempts < attempts) and pruned_at is null order by finished_at, id limit $2`,
    [until, limit],
  )
}

export async function loadCheckpoints(db: Db): Promise<CheckpointRow[]> {
  return query<CheckpointRow & { number: number }>(db, 'select number, runs, document from checkpoints order by number')
}

/** Writes the next checkpoint, one at a time over all processes. `make` is given the one before. Nothing is written when it returns undefined. */
export async function addCheckpoint(
  db: Db,
  make: (last: CheckpointRow | undefined) => Promise<{ runs: CheckpointedRun[]; takenAt: Date; document: unknown } | undefined>,
): Promise<CheckpointRow | undefined> {
  return transaction(db, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended('nightshift checkpoint', 0))")
    const { rows } = await client.query<CheckpointRow>('select number, runs, document from checkpoints order by number desc limit 1')
    const made = await make(rows[0])
    if (!made) return undefined
    const number = (rows[0]?.number ?? 0) + 1
    await client.query('insert into checkpoints (number, taken_at, runs, document) values ($1, $2, $3, $4)', [
      number,
      made.takenAt,
      JSON.stringify(made.runs),
      JSON.stringify(made.document),
    ])
    await client.query(
      'update runs r set checkpointed_attempts = c.attempts from unnest($1::text[], $2::int[]) as c(id, attempts) where r.id = c.id',
      [made.runs.map(({ id }) => id), made.runs.map(({ attempts }) => attempts)],
    )
    return { number, runs: made.runs, document: made.document }
  })
}

/** Of these runs, those that retention removed or emptied. */
export async function listPruned(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const rows = await query<{ id: string }>(
    db,
    'select run_id as id from pruned_runs where run_id = any($1) union select id from runs where id = any($1) and pruned_at is not null',
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}
