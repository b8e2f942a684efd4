import { query, type Db } from '../postgres/db.ts'

/** The latest time before `before` that a run of the job was due which ended green; undefined when there was none. */
export async function loadLastGreen(db: Db, job: string, before: Date): Promise<Date | undefined> {
  const [row] = await query<{ at: Date | null }>(
    db,
    `select max(due) as at from (
       (select (trigger ->> 'fireAt')::timestamptz as due from runs
        where job = $1 and status = 'succeeded' and trigger ->> 'fireAt' is not null and (trigger ->> 'fireAt') collate "C" < $3
        order by (trigger ->> 'fireAt') collate "C" desc limit 1)
       union all
       (select created_at from runs
        where job = $1 and status = 'succeeded' and trigger ->> 'fireAt' is null and created_at < $2
        order by created_at desc limit 1)) green`,
    [job, before, before.toISOString()],
  )
  return row?.at ?? undefined
}
