import { Failure } from '../core/failure.ts'
import { nextFires } from '../lib/time/cron.ts'
import type { Job } from '../jobs/job.ts'
import type { Db } from '../store/postgres/db.ts'
import { backfillFires, firesWithRuns } from '../store/schedules/fires.ts'
import { newRun, wakeOf, type RunParts } from '../runs/create.ts'

/** The most fires that one backfill makes up for. */
const MAX_BACKFILL = 10_000
/** Most fires in one transaction. It locks the fires of the job, so the schedule waits for one batch at most. */
const BATCH = 200

/** Fires of a job's schedule from `from` up to `to` that have no run. `BACKFILL_INVALID` without a schedule, when they are still to come, or too many. */
export async function planBackfill(db: Db, job: Job, from: Date, to: Date, now = new Date()): Promise<Date[]> {
  const { schedule } = job.definition
  if (!schedule) throw new Failure({ code: 'BACKFILL_INVALID', message: `The job ${job.name} has no schedule.` })
  if (!(from < to)) throw new Failure({ code: 'BACKFILL_INVALID', message: 'The time to begin at must be before the time to end at.' })
  if (to > now)
    throw new Failure({ code: 'BACKFILL_INVALID', message: 'The time ends in the future, when its last fires are still to come.' })
  const fires = nextFires(schedule, new Date(from.getTime() - 1), MAX_BACKFILL + 1, new Date(to.getTime() - 1))
  if (fires.length > MAX_BACKFILL)
    throw new Failure({
      code: 'BACKFILL_INVALID',
      message: `There are more than ${MAX_BACKFILL} fires in that time.`,
      cure: 'Take a shorter time.',
    })
  const done = new Set((await firesWithRuns(db, job.name, from, to)).map((at) => at.getTime()))
  return fires.filter((at) => !done.has(at.getTime()))
}

/** Makes the runs of past fires, a batch at a time, and wakes the queue for them. Returns their ids; what was made before a failure stays, and is left out the next time. */
export async function backfill({ db, producer }: RunParts, job: Job, fires: readonly Date[], requestedBy: string): Promise<string[]> {
  const ids: string[] = []
  for (let done = 0; done < fires.length;) {
    const runs = fires.slice(done, done + BATCH).map((at) => ({
      at,
      run: newRun(job, {
        trigger: { kind: 'schedule', fireAt: at.toISOString(), backfill: true },
        input: job.definition.schedule?.input ?? {},
        requestedBy,
        priority: 'low',
      }),
    }))
    const made = await backfillFires(db, runs, job.kept)
    producer.wakeSoon(made.ids.map((id) => wakeOf(id, { priority: 'low' })))
    ids.push(...made.ids)
    done += made.decided
  }
  return ids
}
