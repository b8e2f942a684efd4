import { CronExpressionParser } from 'cron-parser'

/** No schedule can owe more fires than this after a pause: a fire each second for a day. Older ones are not even counted. */
const MAX_DUE = 86_400
const DAY_MS = 86_400_000
const HOURS = 24

export interface CronSchedule {
  cron: string
  timezone: string
}

/**
 * Fire times after `after` and up to `until`, oldest first, by the zone's wall clock. A time that the clock jumps over in spring fires as much
 * later as the jump is long; a time that it shows twice in autumn fires once, or twice when the schedule names every hour.
 */
export function dueFires(schedule: CronSchedule, after: Date, until: Date): Date[] {
  const fires: Date[] = []
  for (const at of firesAfter(schedule, after)) {
    if (at > until) break
    if (fires.push(at) > MAX_DUE) return dueFires(schedule, new Date(until.getTime() - DAY_MS), until)
  }
  return fires
}

/** The next fire time after `after`; undefined when there is none. */
export function nextFire(schedule: CronSchedule, after: Date): Date | undefined {
  return firesAfter(schedule, after).next().value
}

/**
 * Fire times after `after`, in order. cron-parser walks the wall clock as if it were UTC, which has no jumps, and each time it finds is then
 * placed in the zone: its own arithmetic loses fires where the clock changes by half an hour.
 */
function* firesAfter({ cron, timezone }: CronSchedule, after: Date): Generator<Date, undefined> {
  const offsetAt = offsetOf(timezone)
  let last = after.getTime()
  const start = last + Math.min(...[-DAY_MS, 0, DAY_MS].map((ms) => offsetAt(last + ms)))
  const walls = CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: new Date(start) })
  const everyHour = walls.fields.hour.values.length === HOURS
  let held: number[] = []
  while (walls.hasNext()) {
    const wall = walls.next().getTime()
    const before = offsetAt(wall - DAY_MS)
    const later = offsetAt(wall + DAY_MS)
    held = [...held, ...instantsOf(wall, before, later)].toSorted((a, b) => a - b)
    // What later wall times become can't be earlier than this.
    const known = wall - Math.max(before, later)
    for (; held[0] !== undefined && held[0] <= known; held.shift()) if (held[0] > last) yield new Date((last = held[0]))
  }
  for (const at of held) if (at > last) yield new Date((last = at))

  function instantsOf(wall: number, before: number, later: number): number[] {
    if (before === later) return [wall - before]
    const shown = [before, later].filter((offset) => offsetAt(wall - offset) === offset).map((offset) => wall - offset)
    return shown.length === 0 ? [wall - before] : shown.slice(0, everyHour ? 2 : 1)
  }
}

/** What a zone's wall clock is ahead of UTC at an instant, in milliseconds. */
function offsetOf(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }) // prettier-ignore
  return (at) => {
    const part: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(at)) part[type] = Number(value)
    const { year = 0, month = 0, day = 0, hour, minute, second } = part
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
  }
}

/** The next `count` fire times after `after`, and up to `until` where it is given, oldest first. */
export function nextFires(schedule: CronSchedule, after: Date, count: number, until?: Date): Date[] {
  const fires: Date[] = []
  for (const at of firesAfter(schedule, after)) {
    if (until && at > until) break
    if (fires.push(at) >= count) break
  }
  return fires
}
