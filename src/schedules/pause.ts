import type { Actor } from '../core/acts.ts'
import { ALL_JOBS, type Pause } from '../core/rules/schedules/pause.ts'
import type { RunParts } from '../runs/create.ts'
import { unknownJob } from '../runs/lookup.ts'
import { pause } from '../lib/time/pause.ts'
import type { Db } from '../store/postgres/db.ts'
import { releaseUnpaused } from '../store/runs/holds.ts'
import { countRuns } from '../store/runs/list.ts'
import { liftPause, listPauses } from '../store/schedules/pauses.ts'

export { pauseJob } from '../store/schedules/pauses.ts'

export interface Resumed {
  /** False when there was no such pause. */
  isLifted: boolean
  /** What is paused still: everything, or after that pause was lifted the jobs that have one of their own. */
  still: Pause[]
}

/** `JOB_UNKNOWN` unless there is a job file of that name, whatever is in it, or a run of the job: what is under way may be of a file that was taken out. */
export async function requirePausable(db: Db, job: string, known: readonly string[]): Promise<void> {
  if (!known.includes(job) && (await countRuns(db, { job })) === 0) throw unknownJob(job, known)
}

/** Lifts the pause of a job, or with `ALL_JOBS` the one of everything, and wakes the runs that it held. Without a producer the next sweep does it, within five seconds. */
export async function resumeJob(
  { db, producer }: Pick<RunParts, 'db'> & Partial<Pick<RunParts, 'producer'>>,
  job: string,
  by: Actor,
): Promise<Resumed> {
  const isLifted = await liftPause(db, job, by)
  producer?.wakeSoon(await releaseUnpaused(db))
  return { isLifted, still: (await listPauses(db)).filter((one) => job === ALL_JOBS || one.job === ALL_JOBS) }
}

const LOOK_MS = 1000

/** Waits until no run is under way. Tells how many there are, at first and whenever it changes. Rejects with the reason of the signal. */
export async function waitUntilIdle(db: Db, tell: (running: number) => void, signal: AbortSignal): Promise<void> {
  let told: number | undefined
  for (;;) {
    const running = await countRuns(db, { status: ['running'] })
    if (running !== told) tell(running)
    told = running
    if (running === 0) return
    await pause(LOOK_MS, signal)
    signal.throwIfAborted()
  }
}
