// What a person sees at one glance: counts of what is under way and of what came of it. Asked for again and again, so each question has an end.
import { query, queryIso, type Db } from './postgres/db.ts'
import { OBSTACLE } from './runs/wakeable.ts'

/**
 * Where a run stands that is not over. `due`: a worker could start it now. `held`: by a limit. `paused`: by a pause. `behind`: an earlier run must be over first.
 * `later`: its start, or its next try, is still to come. `waiting`: for a person.
 */
export type OpenState = 'running' | 'waiting' | 'due' | 'held' | 'paused' | 'behind' | 'later'

export interface OpenRuns {
  state: OpenState
  /** The limit, of those that one holds. */
  heldBy: string | null
  runs: number
  /** Age of the oldest in seconds: since its attempt began, since it waits for a person, or since it was due. */
  oldestS: number
  /** When the first of those that are to come is due. */
  nextAt: string | null
}

/** When the attempt under way began, as `listUnderWay` says it; when the last one ended, of a run that waits; else when the run was due. */
const SINCE = `case status
  when 'running' then (select max(a.started_at) from attempts a where a.run_id = runs.id and a.finished_at is null)
  when 'waiting' then (select max(a.finished_at) from attempts a where a.run_id = runs.id)
  else greatest(created_at, next_attempt_at) end`

/** Runs that are not over, by where they stand: the one source of `status` and of the metrics. `jobs`: of these alone. */
export async function countOpen(db: Db, jobs: readonly string[] | undefined): Promise<OpenRuns[]> {
  return queryIso<OpenRuns & { state: string }>(
    db,
    `select state, held_by as "heldBy", count(*)::int as runs,
       greatest(extract(epoch from now() - min(since)), 0)::float8 as "oldestS",
       case when state = 'later' then min(since) end as "nextAt"
     from (
       select state, case when state = 'held' then held_by end as held_by, since
       from (
         select held_by, ${SINCE} as since,
           case
             when status <> 'queued' then status
             when held_by like 'pause %' then 'paused'
             when held_by is not null then 'held'
             else case ${OBSTACLE} when 'paused' then 'paused' when 'earlier-run' then 'behind' when 'not-due' then 'later' else 'due' end
           end as state
         from runs where finished_at is null and ($1::text[] is null or job = any($1))) open) dated
     group by 1, 2 order by 1, 2`,
    [jobs ?? null],
    'count open',
  )
}

/** A run that a worker has. */
export interface RunUnderWay {
  id: string
  job: string
  worker: string
  /** Of the attempt that is under way, and its number. */
  startedAt: string
  attempt: number
}

/** Runs that workers have, those that take longest first. */
export async function listUnderWay(db: Db, jobs: readonly string[] | undefined, limit: number): Promise<RunUnderWay[]> {
  return queryIso<RunUnderWay & { id: string }>(
    db,
    `select r.id, r.job, a.worker, a.started_at as "startedAt", a.number as attempt
     from attempts a join runs r on r.id = a.run_id
     where a.finished_at is null and ($1::text[] is null or r.job = any($1))
     order by a.started_at limit $2`,
    [jobs ?? null, limit],
  )
}

export interface EndedRuns {
  status: string
  /** Why they ended so: the code of the failure, or of the first reason. */
  code: string | null
  runs: number
}

/** So many of the runs that ended last are counted: a busy hour is not read whole. */
export const MOST_ENDED = 5000

/** How the runs of the last hour ended, up to `MOST_ENDED` of them, most first. */
export async function countEnded(db: Db, jobs: readonly string[] | undefined): Promise<EndedRuns[]> {
  return query<EndedRuns & { status: string }>(
    db,
    `select status, coalesce(failure ->> 'code', codes[1]) as code, count(*)::int as runs
     from (
       select status, failure, codes from runs
       where finished_at > now() - interval '1 hour' and ($1::text[] is null or job = any($1))
       order by finished_at desc limit ${MOST_ENDED}) latest
     group by 1, 2 order by 3 desc, 1, 2`,
    [jobs ?? null],
  )
}

const MOST_PENDING = 10_000

export interface PendingReports {
  /** Reports that are not delivered yet, up to ten thousand of them; and those whose next try is due. */
  pending: number
  due: number
  /** Age of the oldest in seconds. */
  oldestS: number
}

/** Reports that are not over. */
export async function countPendingReports(db: Db): Promise<PendingReports> {
  const [row] = await query<PendingReports & { pending: number }>(
    db,
    `select count(*)::int as pending, count(*) filter (where next_try_at <= now())::int as due,
       coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestS"
     from (select next_try_at, created_at from deliveries where status = 'pending' order by next_try_at limit ${MOST_PENDING}) pending`,
  )
  return row ?? { pending: 0, due: 0, oldestS: 0 }
}

export interface FailingReports {
  /** Kind and name of the place. */
  place: string
  reports: number
  /** What the last try met. */
  error: string
}

const MOST_FAILING = 1000

/** Reports that were tried and are not delivered, by place, up to a thousand. */
export async function listFailingReports(db: Db): Promise<FailingReports[]> {
  return query<FailingReports & { place: string }>(
    db,
    `select concat_ws(' ', target ->> 'kind', coalesce(target ->> 'name', target ->> 'dir')) as place,
       count(*)::int as reports, (array_agg(error order by next_try_at desc))[1] as error
     from (
       select target, error, next_try_at from deliveries
       where status = 'pending' and error is not null order by next_try_at limit ${MOST_FAILING}) failing
     group by 1 order by 2 desc, 1`,
  )
}
