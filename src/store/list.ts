import type { FailureRecord } from '../core/failure.ts'
import type { Reason, RunStatus, Trigger } from '../core/run.ts'
import { storeText } from '../core/text.ts'
import { query, type Db } from './db.ts'
import { whereOf, type RunFilter } from './filter.ts'

export interface RunLine {
  id: string
  job: string
  status: RunStatus
  trigger: Trigger
  requestedBy: string | null
  reasons: Reason[]
  failure: FailureRecord | null
  attempts: number
  costUsd: number | null
  /** What holds a queued run back. */
  heldBy: string | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

interface Row {
  id: string
  job: string
  status: RunStatus
  trigger: Trigger
  requested_by: string | null
  reasons: Reason[]
  failure: FailureRecord | null
  attempts: number
  cost_usd: number | null
  held_by: string | null
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}

/** Runs, newest first; ids are in the order of time. `before` is the id to go on after. */
export async function listRuns(db: Db, filter: RunFilter, page: { limit: number; before?: string | undefined }): Promise<RunLine[]> {
  const { sql, values } = whereOf(filter, 3)
  const rows = await query<Row>(
    db,
    `select id, job, status, trigger, requested_by, reasons, failure, attempts, cost_usd, held_by, created_at, started_at, finished_at from runs
     where ($2::text is null or id < $2) and ${sql} order by id desc limit $1`,
    [page.limit, page.before === undefined ? null : storeText(page.before), ...values],
  )
  return rows.map((row) => ({
    id: row.id,
    job: row.job,
    status: row.status,
    trigger: row.trigger,
    requestedBy: row.requested_by,
    reasons: row.reasons,
    failure: row.failure,
    attempts: row.attempts,
    costUsd: row.cost_usd,
    heldBy: row.held_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  }))
}

export async function countRuns(db: Db, filter: RunFilter): Promise<number> {
  const { sql, values } = whereOf(filter)
  const [row] = await query<{ n: number }>(db, `select count(*)::int as n from runs where ${sql}`, values)
  return row?.n ?? 0
}

/** How many runs are queued and may start as soon as a worker is free. */
export async function queueDepth(db: Db): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    "select count(*)::int as n from runs where finished_at is null and status = 'queued'",
    [],
    'queue depth',
  )
  return row?.n ?? 0
}
