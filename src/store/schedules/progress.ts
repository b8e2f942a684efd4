import { query, type Db } from '../postgres/db.ts'

/** A schedule as a job file says it. Another cron or zone is another schedule, with a progress of its own. */
export interface ScheduleKey {
  job: string
  cron: string
  timezone: string
}

export interface Progress {
  /** Fires up to this time are decided. */
  decidedUntil: Date
  /** Set when the schedule was decided up to a time in the future, by a clock that was ahead. */
  aheadUntil: Date | null
}

/** A schedule that no scheduler saw for this long, while schedulers were at work, was away. */
const AWAY_MS = 300_000
/** Clock difference between replicas that is tolerated. */
const AHEAD_MS = 120_000

/** The condition for schedules that no job file has had for a while although schedulers were at work, by what they last wrote: each owes nothing, as a new one does. */
export const GONE_SCHEDULE = `exists (
  select 1 from scheduler_presence p
  where schedule_progress.seen_at < p.down_at - make_interval(secs => ${AWAY_MS / 1000})
    or greatest(schedule_progress.seen_at, p.up_since) < p.alive_at - make_interval(secs => ${AWAY_MS / 1000}))`

/**
 * Up to when a schedule is decided; inserts the row of a new schedule. A new schedule, and one that no job file had for a while although schedulers were at work,
 * has no due fires before `now`. One that a wrong clock decided into the future goes on from `now`.
 */
export async function syncSchedule(db: Db, { job, cron, timezone }: ScheduleKey, now: Date): Promise<Progress> {
  const [row] = await query<{ decided_until: Date; ahead_until: Date | null }>(
    db,
    `with known as (select * from schedule_progress where (job, cron, timezone) = ($1, $2, $3) for update),
     facts as (
       select known.decided_until as before, known.decided_until > $4::timestamptz + make_interval(secs => $6 / 1000.0) as ahead,
         coalesce(known.seen_at < p.down_at - make_interval(secs => $5 / 1000.0), false)
           or coalesce(greatest(known.seen_at, p.up_since) < now() - make_interval(secs => $5 / 1000.0), false) as away
       from known left join scheduler_presence p on true)
     insert into schedule_progress as s (job, cron, timezone, decided_until) values ($1, $2, $3, $4)
     on conflict (job, cron, timezone) do update set seen_at = now(), decided_until = case
       when (select ahead from facts) then $4 when (select away from facts) then greatest(s.decided_until, $4) else s.decided_until end
     returning decided_until, (select before from facts where ahead) as ahead_until`,
    [job, cron, timezone, now, AWAY_MS, AHEAD_MS],
  )
  return { decidedUntil: row?.decided_until ?? now, aheadUntil: row?.ahead_until ?? null }
}

/** Writes that a scheduler is at work. Called before the schedules are read, so that an outage is recognised. */
export async function noteScheduler(db: Db): Promise<void> {
  await query(
    db,
    `insert into scheduler_presence as p default values on conflict (only_row) do update set alive_at = now(),
       down_at = case when p.alive_at < now() - make_interval(secs => $1 / 1000.0) then p.alive_at else p.down_at end,
       up_since = case when p.alive_at < now() - make_interval(secs => $1 / 1000.0) then now() else p.up_since end`,
    [AWAY_MS],
  )
}

/** Writes which schedules are in force here. Returns those of the same jobs that are in force only at another scheduler. */
export async function seeSchedules(db: Db, schedules: readonly ScheduleKey[]): Promise<ScheduleKey[]> {
  return query<ScheduleKey & { [column: string]: string }>(
    db,
    `with mine as (select * from unnest($1::text[], $2::text[], $3::text[]) as m (job, cron, timezone)),
     seen as (
       update schedule_progress s set seen_at = now() from mine
       where (s.job, s.cron, s.timezone) = (mine.job, mine.cron, mine.timezone) and s.seen_at < now() - interval '30 seconds')
     select s.job, s.cron, s.timezone from schedule_progress s
     where s.job in (select job from mine) and s.seen_at > now() - make_interval(secs => $4 / 1000.0)
       and not exists (select 1 from mine where (s.job, s.cron, s.timezone) = (mine.job, mine.cron, mine.timezone))
     order by 1, 2, 3`,
    [schedules.map(({ job }) => job), schedules.map(({ cron }) => cron), schedules.map(({ timezone }) => timezone), RIVAL_MS],
  )
}

/** A schedule seen within this time is in force. More than the interval between two writes of a replica, less than `AWAY_MS`. */
const RIVAL_MS = 150_000
