import type { FailureRecord } from '../../core/failure.ts'
import type { Reason, RunStatus, Trigger } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { query, queryIso, type Db } from '../postgres/db.ts'
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

type RunRow = RunLine & { id: string }

const COLUMNS = `id, job, status, trigger, requested_by as "requestedBy", reasons, failure, attempts,
  cost_usd as "costUsd", held_by as "heldBy", created_at as "createdAt", started_at as "startedAt",
  finished_at as "finishedAt"`
/** So many of the newest runs are read through for a word before its index is asked. */
const NEWEST = 5000

/** Runs, newest first; ids are in the order of time. `before` is the id to go on after. */
export async function listRuns(db: Db, filter: RunFilter, page: { limit: number; before?: string | undefined }): Promise<RunLine[]> {
  const { text, code, tool, jobs, ...others } = filter
  // Of a few jobs: the newest of each by its index, since all others may lie between them.
  if (jobs) return listOfJobs(db, filter, jobs, page)
  const isRare = text !== undefined || code !== undefined || tool !== undefined
  const rest = whereOf(others, 3)
  const words = whereOf({ text, code, tool }, 3 + rest.values.length)
  const where = `($2::text is null or id < $2) and ${rest.sql}`
  const values = [page.limit, page.before === undefined ? null : storeText(page.before), ...rest.values, ...words.values]
  return !isRare
    ? queryIso<RunRow>(db, `select ${COLUMNS} from runs where ${where} order by id desc limit $1`, values)
    : findWords(db, page.limit, { where, words: words.sql, values })
}

async function listOfJobs(
  db: Db,
  filter: RunFilter,
  jobs: readonly string[],
  page: { limit: number; before?: string | undefined },
): Promise<RunLine[]> {
  const meant = filter.job === undefined ? jobs : jobs.filter((job) => job === filter.job)
  const lists = await Promise.all(meant.map((job) => listRuns(db, { ...filter, jobs: undefined, job }, page)))
  return lists
    .flat()
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, page.limit)
}

/**
 * Postgres does not know how rare a word is, and would walk through all runs for one that only old ones have. A common word is found among the
 * newest; a word that is not there often is rare enough to be looked up and sorted.
 */
async function findWords(
  db: Db,
  limit: number,
  { where, words, values }: { where: string; words: string; values: unknown[] },
): Promise<RunLine[]> {
  const newest = await queryIso<RunRow>(
    db,
    `select ${COLUMNS} from (select * from runs where ${where} order by id desc limit ${NEWEST}) runs
     where ${words} order by id desc limit $1`,
    values,
  )
  if (newest.length === limit) return newest
  return queryIso<RunRow>(
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
