import type { RunParts } from '../runs/create.ts'
import { releaseUnpaused } from '../store/runs/holds.ts'
import { liftPause } from '../store/schedules/pauses.ts'

export { ALL_JOBS, pauseJob } from '../store/schedules/pauses.ts'

/** Lifts the pause of a job, or with `ALL_JOBS` the one of everything, and wakes the runs that it held. False when there was none. */
export async function resumeJob({ db, producer }: RunParts, job: string): Promise<boolean> {
  const lifted = await liftPause(db, job)
  producer.wakeSoon(await releaseUnpaused(db))
  return lifted
}
