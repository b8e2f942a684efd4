import type { Actor } from '../../core/acts.ts'
import type { Pause } from '../../core/rules/schedules/pause.ts'
import { actUponJob } from '../acts/write.ts'
import { query, queryIso, type Db } from '../postgres/db.ts'
import { createParameters } from '../postgres/parameters.ts'

const PAUSE = 'job, reason, paused_by as "pausedBy", paused_at as "pausedAt"'

/** No run of the job is started any more, and its schedule does not fire. Pausing again replaces the pause that there was, which is returned. */
export async function pauseJob(db: Db, job: string, by: Actor & { reason: string }): Promise<Pause | undefined> {
  const { add, values } = createParameters()
  const row = [add(job), add(by.reason), add(by.name)]
  const [before] = await queryIso<Pause & { job: string }>(
    db,
    `with done as (
       insert into pauses (job, reason, paused_by) values (${row.join(', ')})
       on conflict (job) do update set reason = excluded.reason, paused_by = excluded.paused_by, paused_at = now()
       returning job),
     ${actUponJob(add, { act: 'pause', by }, 'done')}
     select ${PAUSE} from pauses where job = ${row[0]}`,
    values,
  )
  return before
}

/** False when it was not paused. Runs that it held are woken by the next sweep. */
export async function liftPause(db: Db, job: string, by: Actor): Promise<boolean> {
  const { add, values } = createParameters()
  const lifted = await query(
    db,
    `with done as (delete from pauses where job = ${add(job)} returning job),
     ${actUponJob(add, { act: 'resume', by }, 'done')}
     select 1 from done`,
    values,
  )
  return lifted.length > 0
}

export async function listPauses(db: Db): Promise<Pause[]> {
  return queryIso<Pause & { job: string }>(db, `select ${PAUSE} from pauses order by job`, [], 'list pauses')
}
