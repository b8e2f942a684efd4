import { query, queryIso, type Db } from '../postgres/db.ts'

/** Stands for all jobs. */
export const ALL_JOBS = '*'

export interface Pause {
  /** A job's name, or `*`. */
  job: string
  reason: string
  pausedBy: string
  pausedAt: string
}

/** No run of the job is started any more, and its schedule does not fire. Pausing again replaces the reason. */
export async function pauseJob(db: Db, pause: { job: string; reason: string; pausedBy: string }): Promise<void> {
  await query(
    db,
    `insert into pauses (job, reason, paused_by) values ($1, $2, $3)
     on conflict (job) do update set reason = $2, paused_by = $3, paused_at = now()`,
    [pause.job, pause.reason, pause.pausedBy],
  )
}

/** False when it was not paused. Runs that it held are woken by the next sweep. */
export async function liftPause(db: Db, job: string): Promise<boolean> {
  return (await query(db, 'delete from pauses where job = $1 returning 1', [job])).length > 0
}

export async function listPauses(db: Db): Promise<Pause[]> {
  return queryIso<Pause & { job: string }>(
    db,
    'select job, reason, paused_by as "pausedBy", paused_at as "pausedAt" from pauses order by job',
    [],
    'list pauses',
  )
}
