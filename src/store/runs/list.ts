import type { FailureRecord } from '../../core/failure.ts'
import type { FailureCode } from '../../core/failure-codes.ts'
import type { Ending, Reason, RunStatus, Trigger, Tags } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { COST_AT_LEAST } from '../attempts/usage.ts'
import { query, queryIso, type Db } from '../postgres/db.ts'
import { whereOf, type RunFilter } from './filter.ts'

export interface RunLine {
  id: string
  job: string
  status: RunStatus
  trigger: Trigger
  requestedBy: string | null
  tags: Tags
  reasons: Reason[]
  failure: FailureRecord | null
  attempts: number
  /** What is known of it. */
  costUsd: number | null
  /** Some of what it used is not known: it cost at least as much. */
  costAtLeast: boolean
  /** What holds a queued run back. */
  heldBy: string | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  /** How the model ended it by a call instead of an answer; its words stand in the run itself. */
  ending: { kind: Ending['kind']; because?: string } | null
}

type RunRow = RunLine & { id: string }

const COLUMNS = `id, job, status, trigger, requested_by as "requestedBy", tags, reasons, failure, attempts,
  cost_usd as "costUsd", ${COST_AT_LEAST} as "costAtLeast", case when status = 'queued' then held_by end as "heldBy", created_at as "createdAt", started_at as "startedAt",
  finished_at as "finishedAt",
  case when ending is not null then
    json_strip_nulls(json_build_object('kind', ending ->> 'kind', 'because', ending ->> 'because')) end as ending`
/** So many of the newest runs are read through for a word before its index is asked. */
const NEWEST = 5000

export interface RunPage {
  limit: number
  /** The id to go on after. */
  before?: string | undefined
}

/** Runs, newest first; ids are in the order of time. Each page goes on by a key and not by a count, so that a late one costs as much as the first. */
export async function listRuns(db: Db, filter: RunFilter, { limit, before }: RunPage): Promise<RunLine[]> {
  const { text, code, tool, tags, endedSince, endedUntil, held, jobs, ...others } = filter
  // A run ends after it was created: what is newer than the last of these times need not be walked through.
  const [until] = [others.until, endedUntil].filter((time) => time !== undefined).toSorted((one, other) => Number(one) - Number(other))
  const rest = whereOf({ ...others, until }, 4)
  const rare = { text, code, tool, tags, endedSince, endedUntil, held }
  const words = whereOf(rare, 4 + rest.values.length)
  const list: List = {
    where: `($2::text is null or id < $2) and ${rest.sql}`,
    words: words.sql,
    ofJobs: jobs !== undefined,
    values: [limit, before === undefined ? null : storeText(before), jobs ?? null, ...rest.values, ...words.values],
  }
  const isRare = Object.values(rare).some((word) => word !== undefined)
  if (isRare) return findWords(db, limit, list)
  return queryIso<RunRow>(db, `select ${COLUMNS} from (${newest(list, '$1')}) runs order by id desc`, list.values)
}

interface List {
  where: string
  /** The conditions whose rareness Postgres does not know. */
  words: string
  ofJobs: boolean
  values: unknown[]
}

/** The newest runs. Of a few jobs: the newest of each by its index, since all others may lie between them. */
const newest = ({ where, ofJobs }: List, limit: string): string =>
  ofJobs
    ? `select runs.* from unnest($3::text[]) as wanted(name) cross join lateral (
         select * from runs where job = wanted.name and ${where} order by id desc limit ${limit}) runs
       order by id desc limit ${limit}`
    : `select * from runs where $3::text[] is null and ${where} order by id desc limit ${limit}`

/**
 * Postgres does not know how rare a word is, and would walk through all runs for one that only old ones have. A common word is found among the
 * newest; a word that is not there often is rare enough to be looked up and sorted.
 */
async function findWords(db: Db, limit: number, list: List): Promise<RunLine[]> {
  const { where, words, values } = list
  const first = await queryIso<RunRow>(
    db,
    `select ${COLUMNS} from (${newest(list, String(NEWEST))}) runs where ${words} order by id desc limit $1`,
    values,
  )
  if (first.length === limit) return first
  return queryIso<RunRow>(
    db,
    `with found as materialized (
       select id from runs where ($3::text[] is null or job = any($3)) and ${where} and ${words})
     select ${COLUMNS} from runs where id in (select id from found order by id desc limit $1) order by id desc`,
    values,
  )
}

/** Runs that are alike: how many of a job have a status, and the code that says why. */
export interface RunGroup {
  job: string
  status: RunStatus
  code: FailureCode | null
  runs: number
}

/** How many runs a filter means, by job, status and code; most first. With `statuses`: of those that have one of them and their content still. */
export async function groupRuns(db: Db, filter: RunFilter, statuses?: readonly RunStatus[]): Promise<RunGroup[]> {
  const { sql, values } = whereOf(filter, 2)
  return query<RunGroup & { job: string }>(
    db,
    `select job, status, coalesce(failure ->> 'code', codes[1]) as code, count(*)::int as runs
     from runs where ${sql} and ($1::text[] is null or (status = any($1) and pruned_at is null))
     group by 1, 2, 3 order by 4 desc, 1, 2, 3`,
    [statuses ?? null, ...values],
  )
}

export async function countRuns(db: Db, filter: RunFilter): Promise<number> {
  const { sql, values } = whereOf(filter)
  const [row] = await query<{ n: number }>(db, `select count(*)::int as n from runs where ${sql}`, values)
  return row?.n ?? 0
}

/** How many runs of a job somebody has queued. */
export interface QueuedRuns {
  /** Empty: nobody that is known. */
  requestedBy: string
  job: string
  /** That a worker could start now. */
  due: number
  /** That wait for a time, a pause, a limit or another run. */
  ahead: number
}

export async function countQueued(db: Db): Promise<QueuedRuns[]> {
  return query<QueuedRuns & { job: string }>(
    db,
    `select coalesce(requested_by, '') as "requestedBy", job,
       count(*) filter (where is_due)::int as due, count(*) filter (where not is_due)::int as ahead
     from (select requested_by, job,
         held_by is null and after_run is null and coalesce(next_attempt_at <= now(), true) as is_due
       from runs where finished_at is null and status = 'queued') queued
     group by requested_by, job`,
    [],
    'count queued',
  )
}
