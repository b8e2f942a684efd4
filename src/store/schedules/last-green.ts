import { query, type Db } from '../postgres/db.ts'

/** The latest time before `before` that a run of the job was due which ended green; undefined when there was none. */
export async function loadLastGreen(db: Db, job: string, before: Date): Promise<Date | undefined> {
  const [row] = await query<{ at: Date | null }>(
    db,
    `select max(due) as at from (
       select coalesce((trigger->>'fireAt')::timestamptz, created_at) as due
       from runs where job = $1 and status = 'succeeded') green
     where due < $2`,
    [job, before],
  )
  return row?.at ?? undefined
}
