import cronstrue from 'cronstrue'
import type { Job } from '../jobs/load.ts'
import { nextFires } from '../lib/time/cron.ts'
import type { Db } from '../store/postgres/db.ts'
import { listPauses, ALL_JOBS, type Pause } from '../store/schedules/pauses.ts'
import { lastFires } from '../store/schedules/fires.ts'

export interface PausedBy {
  reason: string
  by: string
  at: string
}

export interface ScheduleView {
  job: string
  cron: string
  /** The cron expression in words. */
  words: string
  timezone: string
  lastFire: { at: string; status: 'run' | 'skipped'; runId: string | null; reason: string | null } | null
  next: string[]
  paused: PausedBy | null
}

/** A job in force, as the API lists it. */
export interface JobView {
  name: string
  version: string
  description: string | null
  schedule: { cron: string; timezone: string } | null
  account: string
  model: string
  /** JSON Schema of its input; null: it takes none. */
  input: unknown
  paused: PausedBy | null
}

const NEXT = 5

/** What is scheduled: when it fired, when it fires next, and whether it is paused. */
export async function viewSchedules(db: Db, jobs: ReadonlyMap<string, Job>, now: Date): Promise<ScheduleView[]> {
  const [pauses, fires] = await Promise.all([listPauses(db), lastFires(db)])
  return [...jobs.values()].flatMap(({ name, definition: { schedule } }) => {
    if (!schedule) return []
    const { cron, timezone } = schedule
    const last = fires.get(name)
    return [
      {
        job: name,
        cron,
        words: inWords(cron),
        timezone,
        lastFire: last ? { at: last.at.toISOString(), status: last.status, runId: last.runId, reason: last.reason } : null,
        next: nextFires(schedule, now, NEXT).map((at) => at.toISOString()),
        paused: pauseOf(pauses, name),
      },
    ]
  })
}

/** The jobs in force, and which of them are paused. */
export async function viewJobs(db: Db, jobs: ReadonlyMap<string, Job>): Promise<JobView[]> {
  const pauses = await listPauses(db)
  return [...jobs.values()].map(({ name, version, definition: { description, schedule, account, model, input } }) => ({
    name,
    version,
    description: description ?? null,
    schedule: schedule ? { cron: schedule.cron, timezone: schedule.timezone } : null,
    account,
    model: model.name,
    input: input ?? null,
    paused: pauseOf(pauses, name),
  }))
}

/** What holds a job: its own pause, or the one of everything. */
export function pauseOf(pauses: readonly Pause[], job: string): PausedBy | null {
  const pause = pauses.find((one) => one.job === job) ?? pauses.find((one) => one.job === ALL_JOBS)
  return pause ? { reason: pause.reason, by: pause.pausedBy, at: pause.pausedAt } : null
}

/** A cron expression for people; itself where it has no words. */
export function inWords(cron: string): string {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true })
  } catch {
    return cron
  }
}
