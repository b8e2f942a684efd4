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
  return slowQuery<{ id: string; attempts: number }>(
    db,
    `select id, attempts from runs
     where finished_at < $1 and (checkpointed_attempts is null or checkpointed_attempts < attempts)
       and pruned_at is null order by finished_at, id limit $2`,
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
  return withAdvisoryLock(db, 'checkpoint', async () => {
    const [last] = await query<CheckpointRow & { number: number }>(
      db,
      'select number, runs, document from checkpoints order by number desc limit 1',
    )
    const made = await make(last)
    if (!made) return undefined
    const { runs, takenAt, document } = made
    const number = (last?.number ?? 0) + 1
    await slowQuery(
      db,
      `with checkpoint as (insert into checkpoints (number, taken_at, runs, document) values ($1, $2, $3, $4))
       update runs r set checkpointed_attempts = c.attempts
       from unnest($5::text[], $6::int[]) as c(id, attempts) where r.id = c.id`,
      [number, takenAt, JSON.stringify(runs), JSON.stringify(document), runs.map(({ id }) => id), runs.map(({ attempts }) => attempts)],
    )
    return { number, runs, document }
  })
}

/** Of these runs, those that retention removed or emptied. */
export async function listPruned(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const rows = await query<{ id: string }>(
    db,
    `select run_id as id from pruned_runs where run_id = any($1)
     union select id from runs where id = any($1) and pruned_at is not null`,
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}
