import { query, type Db } from './postgres/db.ts'

export interface QueueStats {
  status: string
  held: boolean
  runs: number
  /** Age of the oldest in seconds, since it was due. */
  oldestS: number
}

/** Runs that are not over, by status. */
export async function queueStats(db: Db): Promise<QueueStats[]> {
  return query<QueueStats & { status: string }>(
    db,
    `select status, held_by is not null as held, count(*)::int as runs,
       greatest(extract(epoch from now() - min(greatest(created_at, next_attempt_at))), 0)::float8 as "oldestS"
     from runs where finished_at is null group by 1, 2`,
    [],
    'queue stats',
  )
}

const MOST_ENDED = 1000

/** How the runs ended that ended last, up to a thousand of the last day, by status. */
export async function endedStats(db: Db): Promise<{ status: string; runs: number }[]> {
  return query<{ status: string; runs: number }>(
    db,
    `select status, count(*)::int as runs from (
       select status from runs where finished_at > now() - interval '1 day' order by finished_at desc limit ${MOST_ENDED}) latest
     group by 1 order by 2 desc, 1`,
  )
}

const MOST_PENDING = 10_000

export interface ReportStats {
  /** Reports that are not delivered yet, up to ten thousand of them; and those whose next try is due. */
  pending: number
  due: number
  /** Age of the oldest in seconds. */
  oldestS: number
}

/** Reports that are not over. */
export async function reportStats(db: Db): Promise<ReportStats> {
  const [row] = await query<ReportStats & { pending: number }>(
    db,
    `select count(*)::int as pending, count(*) filter (where next_try_at <= now())::int as due,
       coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestS"
     from (select next_try_at, created_at from deliveries where status = 'pending' order by next_try_at limit ${MOST_PENDING}) pending`,
  )
  return row ?? { pending: 0, due: 0, oldestS: 0 }
}

/** Alarms that were not sent, by whether their receiver refuses them. */
export async function alarmStats(db: Db): Promise<{ waiting: number; refused: number }> {
  const [row] = await query<{ waiting: number; refused: number }>(
    db,
    `select count(*) filter (where refused is null)::int as waiting, count(refused)::int as refused from alarms where sent_at is null`,
    [],
    'alarm stats',
  )
  return row ?? { waiting: 0, refused: 0 }
}

/** Lines of the log that an alarm was raised for, by suspect account, while nobody has acknowledged them. */
export async function suspectStats(db: Db): Promise<{ account: string; events: number }[]> {
  return query<{ account: string; events: number }>(
    db,
    "select coalesce(account, 'unknown') as account, sum(events)::int as events from suspects where acknowledged_at is null group by 1",
    [],
    'suspect stats',
  )
}
