import { query, type Db } from './postgres/db.ts'

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
