import { setImmediate } from 'node:timers/promises'
import cronstrue from 'cronstrue'
import { ALL_JOBS, type Pause } from '../core/rules/schedules/pause.ts'
import type { Job } from '../jobs/job.ts'
import { upcomingFires } from '../jobs/upcoming.ts'
import type { Db } from '../store/postgres/db.ts'
import { listPauses } from '../store/schedules/pauses.ts'
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

/** After so many schedules others get their turn: to find the fires of a cron expression takes about a millisecond. */
const AT_ONCE = 20

/** Which part of a list by name is asked for. */
export interface NamePage {
  limit: number
  /** The name to go on after. */
  after?: string | undefined
}

/** What is scheduled, by name: when it fired, when it fires next, and whether it is paused. */
export async function viewSchedules(db: Db, jobs: ReadonlyMap<string, Job>, now: Date, page?: NamePage): Promise<ScheduleView[]> {
  const [pauses, fires] = await Promise.all([listPauses(db), lastFires(db)])
  const views: ScheduleView[] = []
  const scheduled = [...jobs.values()].filter(({ definition }) => definition.schedule)
  for (const { name, definition } of pageOf(scheduled, page)) {
    const { schedule } = definition
    if (!schedule) continue
    const { cron, timezone } = schedule
    const last = fires.get(name)
    views.push({
      job: name,
      cron,
      words: inWords(cron),
      timezone,
      lastFire: last ? { at: last.at.toISOString(), status: last.status, runId: last.runId, reason: last.reason } : null,
      next: upcomingFires(schedule, now).map((at) => at.toISOString()),
      paused: pauseOf(pauses, name),
    })
    if (views.length % AT_ONCE === 0) await setImmediate()
  }
  return views
}

const pageOf = (jobs: readonly Job[], page: NamePage | undefined): readonly Job[] => {
  if (!page) return jobs
  const { limit, after = '' } = page
  return jobs
    .filter(({ name }) => name > after)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, limit)
}

/** The jobs in force, by name, and which of them are paused. */
export async function viewJobs(db: Db, jobs: ReadonlyMap<string, Job>, page: NamePage): Promise<JobView[]> {
  const pauses = await listPauses(db)
  return pageOf([...jobs.values()], page).map(({ name, version, definition: { description, schedule, account, model, input } }) => ({
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

/** What holds a job now. */
export const heldBy = async (db: Db, job: string): Promise<PausedBy | null> => pauseOf(await listPauses(db), job)

/** A cron expression for people; itself where it has no words. */
export function inWords(cron: string): string {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true })
  } catch {
    return cron
  }
}
