import { aboutSilent } from '../core/duties.ts'
import { ALL_JOBS, describePause, type Pause } from '../core/rules/schedules/pause.ts'
import type { Db } from '../store/postgres/db.ts'
import { listDuties, listProcesses, silentAmong, workersAmong } from '../store/processes.ts'
import { listPauses } from '../store/schedules/pauses.ts'

/** What keeps a new run of a job from starting at once, a sentence each, with what a person can do: pauses, and no worker with a free slot. */
export async function delaysOf(db: Db, job: string): Promise<string[]> {
  return [...(await pausesOf(db, job)).map(describePause), ...(await aboutWorkers(db))]
}

/** The pauses that keep runs of a job: its own, and the one of everything. */
export const pausesOf = async (db: Db, job: string): Promise<Pause[]> =>
  (await listPauses(db)).filter((one) => one.job === job || one.job === ALL_JOBS)

async function aboutWorkers(db: Db): Promise<string[]> {
  const duties = await listDuties(db)
  const processes = await listProcesses(db)
  const workers = workersAmong(processes, duties)
  if (workers.length === 0) return [`no worker is at work${aboutSilent(silentAmong(processes))}. Start one with: nightshift start`]
  const isBusy = workers.every(({ runs, slots }) => slots !== null && runs >= slots)
  return isBusy ? ['each slot of the workers is taken; it starts when a run ends. See them with: nightshift status'] : []
}
