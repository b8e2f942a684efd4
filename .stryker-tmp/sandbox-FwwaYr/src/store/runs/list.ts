// @ts-nocheck
import type { FailureRecord } from '../../core/failure.ts'
import type { Reason, RunStatus, Trigger } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { query, type Db } from '../postgres/db.ts'
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

const COLUMNS = 'id, job, status, trigger, requested_by, reasons, failure, attempts, cost_usd, held_by, created_at, started_at, finished_at'
/** So many of the newest runs are read through for a word before its index is asked. */
const WINDOW = 5000

/** Runs, newest first; ids are in the order of time. `before` is the id to go on after. */
export async function listRuns(db: Db, filter: RunFilter, page: { limit: number; before?: string | undefined }): Promise<RunLine[]> {
  const { text, ...others } = filter
  const rest = whereOf(others, 3)
  const words = whereOf({ text }, 3 + rest.values.length)
  const where = `($2::text is null or id < $2) and ${rest.sql}`
  const values = [page.limit, page.before === undefined ? null : storeText(page.before), ...rest.values, ...words.values]
  const rows =
    text === undefined
      ? await query<Row>(db, `select ${COLUMNS} from runs where ${where} order by id desc limit $1`, values)
      : await findWords(db, page.limit, { where, words: words.sql, values })
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

/**
 * Postgres does not know how rare a word is, and would walk through all runs for one that only old ones have. A common word is found among the
 * newest; a word that is not there often is rare enough to be looked up and sorted.
 */
async function findWords(
  db: Db,
  limit: number,
  { where, words, values }: { where: string; words: string; values: unknown[] },
): Promise<Row[]> {
  const newest = await query<Row>(
    db,
    `select ${COLUMNS} from (select * from runs where ${where} order by id desc limit ${WINDOW}) runs where ${words} order by id desc limit $1`,
    values,
  )
  if (newest.length === limit) return newest
  return query<Row>(
    db,
    `with found as materialized (select id from runs where ${where} and ${words})
     select ${COLUMNS} from runs where id in (select id from found order by id desc limit $1) order by id desc`,
    values,
  )
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
