import { nextFires, type CronSchedule } from '../lib/time/cron.ts'

/** So many fires of a schedule are found at once. */
const UPCOMING = 5

const upcoming = new WeakMap<CronSchedule, { since: Date; fires: readonly Date[] }>()

/** The next fires of a schedule. They are found again once the first of them is over, or for another object of the schedule: to find them takes about a millisecond. */
export function upcomingFires(schedule: CronSchedule, now: Date): readonly Date[] {
  const known = upcoming.get(schedule)
  if (known && known.since <= now && (known.fires[0] ?? known.since) > now) return known.fires
  const fires = nextFires(schedule, now, UPCOMING)
  upcoming.set(schedule, { since: now, fires })
  return fires
}
