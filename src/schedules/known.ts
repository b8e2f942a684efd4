import type { Job } from '../jobs/job.ts'
import type { Db } from '../store/postgres/db.ts'
import { syncSchedule } from '../store/schedules/progress.ts'

/** Makes the schedule of a job known as of a time: its fires since then that nobody ran are missed ones. Does nothing for a job without a schedule. */
export async function makeKnown(db: Db, { name: job, definition: { schedule } }: Job, since: Date): Promise<void> {
  if (schedule) await syncSchedule(db, { job, cron: schedule.cron, timezone: schedule.timezone }, since)
}
