import type { Due } from '../core/rules/schedules/missed.ts'
import { latestFires, nextFires, type CronSchedule } from '../lib/time/cron.ts'

/** The most fires that are looked at one by one: more than `missed: all` makes up for. */
const MAX_DUE = 200
/** Older ones are counted up to this number. */
const MAX_COUNTED = 1000

/** Fire times after `after` and up to `until`. After a long time only the latest are listed: the work does not grow with the time that passed. */
export function dueFires(schedule: CronSchedule, after: Date, until: Date): Due {
  const fires = latestFires(schedule, after, until, MAX_DUE)
  const [oldest] = fires
  if (!oldest || fires.length < MAX_DUE) return { fires }
  const older = nextFires(schedule, after, MAX_COUNTED + 1, new Date(oldest.getTime() - 1))
  const [first] = older
  return first ? { fires, older: { first, count: Math.min(older.length, MAX_COUNTED), more: older.length > MAX_COUNTED } } : { fires }
}
