// What stands for longer than it should: asked for by a person who can wait.
import { OBSTACLE } from './runs/wakeable.ts'
import { query, type Db } from './postgres/db.ts'

/** Most of a kind that are counted, so that no question reads a whole backlog. */
export const MOST_COUNTED = 1000

const before = (parameter: string) => `now() - make_interval(secs => ${parameter} / 1000.0)`

export interface StandingRuns {
  /** `due`: nobody takes it. `held`: by a limit. `abandoned`: its worker is gone and nobody takes it over. `waiting`: for a person. */
  kind: 'due' | 'held' | 'abandoned' | 'waiting'
  /** The limit; what a waiting one waits for. */
  heldBy: string | null
  account: string | null
  server: string | null
  runs: number
  /** Of the oldest. */
  id: string
}

/** Runs that were for so long in a state that they should have left, counted by what would move them on, up to `MOST_COUNTED` of a kind. */
export async function listStandingRuns(
  db: Db,
  { dueMs, heldMs, runningMs, waitingMs }: { dueMs: number; heldMs: number; runningMs: number; waitingMs: number },
): Promise<StandingRuns[]> {
  return query<StandingRuns & { id: string }>(
    db,
    `select kind, held_by as "heldBy", account, server, count(*)::int as runs, min(id) as id from (
       (select 'due' as kind, null as held_by, null as account, null as server, id from runs
        where status = 'queued' and held_by is null and finished_at is null
          and greatest(created_at, next_attempt_at) < ${before('$1')}
          and coalesce(${OBSTACLE}, 'none') in ('none', 'expired', 'cancel-requested')
        limit ${MOST_COUNTED})
       union all
       (select 'held', held_by, null, null, id from runs
        where status = 'queued' and held_by not like 'pause %' and finished_at is null and held_at < ${before('$2')}
        limit ${MOST_COUNTED})
       union all
       (select 'abandoned', null, null, null, id from runs
        where status = 'running' and finished_at is null and heartbeat_at < ${before('$3')}
        limit ${MOST_COUNTED})
       union all
       (select 'waiting', null, waits_for ->> 'account', waits_for ->> 'server', id from runs
        where status = 'waiting' and finished_at is null
          and (select max(a.finished_at) from attempts a where a.run_id = runs.id) < ${before('$4')}
        limit ${MOST_COUNTED})) standing
     group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    [dueMs, heldMs, runningMs, waitingMs],
  )
}

export interface StandingReports {
  /** Kind and name of the place. */
  place: string
  /** `pending`: not delivered yet. `failed`: given up in the last day. */
  status: 'pending' | 'failed'
  reports: number
  /** Of the oldest. */
  runId: string
  /** What its last try met; null when nobody tried. */
  error: string | null
}

/** Reports that are pending for so long, or were given up in the last day, by place, up to `MOST_COUNTED` of each. */
export async function listStandingReports(db: Db, pendingMs: number): Promise<StandingReports[]> {
  return query<StandingReports & { place: string }>(
    db,
    `select concat_ws(' ', target ->> 'kind', coalesce(target ->> 'name', target ->> 'dir')) as place, status,
       count(*)::int as reports, min(run_id) as "runId", (array_agg(error order by next_try_at desc))[1] as error
     from (
       (select * from deliveries where status = 'pending' and created_at < ${before('$1')} limit ${MOST_COUNTED})
       union all
       (select * from deliveries where status = 'failed' and ended_at > now() - interval '1 day' order by ended_at desc limit ${MOST_COUNTED})
     ) standing
     group by 1, 2 order by 1, 2`,
    [pendingMs],
  )
}

/** Alarms that were raised so long ago and were not sent. */
export async function countStandingAlarms(db: Db, ms: number): Promise<{ alarms: number; tries: number }> {
  const [row] = await query<{ alarms: number; tries: number }>(
    db,
    `select count(*)::int as alarms, coalesce(max(tries), 0) as tries from alarms where sent_at is null and created_at < ${before('$1')}`,
    [ms],
  )
  return row ?? { alarms: 0, tries: 0 }
}

export interface ScheduleProgress {
  job: string
  cron: string
  timezone: string
  decidedUntil: Date
  /** By the clock of the store. */
  now: Date
}

/** How far each schedule is decided that a scheduler has ever had. */
export async function listProgress(db: Db): Promise<ScheduleProgress[]> {
  return query<ScheduleProgress & { job: string }>(
    db,
    'select job, cron, timezone, decided_until as "decidedUntil", now() as now from schedule_progress order by job, cron, timezone',
  )
}
