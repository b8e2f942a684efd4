import { setImmediate } from 'node:timers/promises'
import { ALL_JOBS, type Pause } from '../../core/rules/schedules/pause.ts'
import type { Job } from '../../jobs/job.ts'
import { upcomingFires } from '../../jobs/upcoming.ts'
import type { RecordedFire } from '../../store/schedules/fires.ts'

export type LastFire = Omit<RecordedFire, 'at'> & { job: string; at: string }

export interface NextFire {
  job: string
  at: string
  timezone: string
  /** It will be skipped, unless the pause is lifted before. */
  paused: boolean
}

/** After so many schedules others get their turn. */
const AT_ONCE = 20

/** The last fires, the latest first. */
export const lastOf = (fires: ReadonlyMap<string, RecordedFire>): LastFire[] =>
  [...fires]
    .map(([job, { at, ...fire }]) => ({ job, at: at.toISOString(), ...fire }))
    .toSorted((one, other) => (one.at > other.at ? -1 : 1))

/** The next fire of each job, the first first. */
export async function nextOf(jobs: readonly Job[], pauses: readonly Pause[], now: Date): Promise<NextFire[]> {
  const next: NextFire[] = []
  const paused = new Set(pauses.map(({ job }) => job))
  let looked = 0
  for (const { name, definition } of jobs) {
    const { schedule } = definition
    if (!schedule) continue
    if (++looked % AT_ONCE === 0) await setImmediate()
    const [at] = upcomingFires(schedule, now)
    if (at) next.push({ job: name, at: at.toISOString(), timezone: schedule.timezone, paused: paused.has(name) || paused.has(ALL_JOBS) })
  }
  return next.toSorted((one, other) => (one.at < other.at ? -1 : 1))
}
