import { CronExpressionParser } from 'cron-parser'

/** No schedule can owe more fires than this after a pause: a fire each second for a day. Older ones are not even counted. */
const MAX_DUE = 86_400

/** Fire times after `after` and up to `until`, oldest first, by the zone's wall clock (DST as cron-parser: spring's gap moves on, autumn's hour comes once or twice by the fields). */
export function dueFires(schedule: { cron: string; timezone: string }, after: Date, until: Date): Date[] {
  const fires: Date[] = []
  const cron = CronExpressionParser.parse(schedule.cron, { tz: schedule.timezone, currentDate: after })
  while (fires.length < MAX_DUE && cron.hasNext()) {
    const at = cron.next().toDate()
    if (at > until) break
    fires.push(at)
  }
  return fires
}

/** The next fire time after `after`; undefined when there is none. */
export function nextFire(schedule: { cron: string; timezone: string }, after: Date): Date | undefined {
  const cron = CronExpressionParser.parse(schedule.cron, { tz: schedule.timezone, currentDate: after })
  return cron.hasNext() ? cron.next().toDate() : undefined
}

/** The next `count` fire times after `after`, oldest first. */
export function nextFires(schedule: { cron: string; timezone: string }, after: Date, count: number): Date[] {
  const cron = CronExpressionParser.parse(schedule.cron, { tz: schedule.timezone, currentDate: after })
  const fires: Date[] = []
  while (fires.length < count && cron.hasNext()) fires.push(cron.next().toDate())
  return fires
}
