import { query, type Db } from './db.ts'
import { WAKEABLE, type WakeableRun } from './runs.ts'

/** Lets the next run go on that a limit of this job or account held, when one of its runs has ended. */
export async function releaseNext(db: Db, job: string, account: string): Promise<WakeableRun[]> {
  return query<WakeableRun>(
    db,
    `update runs set held_by = null where id in (
       select id from runs where held_by in ($1, $2) and status = 'queued' and finished_at is null order by priority, id limit 1 for update skip locked)
     returning ${WAKEABLE}`,
    [`job ${job}`, `account ${account}`],
    'release next',
  )
}

const STALE_S = 30

/** Lets runs go on whose hold may be over: a pause that was lifted, a limit that was raised, or a worker that died before it released them. */
export async function releaseStale(db: Db, limit = 500): Promise<WakeableRun[]> {
  return query<WakeableRun>(
    db,
    `update runs set held_by = null where id in (
       select id from runs r where held_by is not null and status = 'queued' and finished_at is null
         and case when held_by like 'pause %' then not exists (select 1 from pauses p where p.job in (r.job, '*'))
             else held_at < now() - make_interval(secs => $1) end
       order by priority, id limit $2 for update skip locked)
     returning ${WAKEABLE}`,
    [STALE_S, limit],
  )
}
