import { CronExpressionParser } from 'cron-parser'
import { Temporal } from 'temporal-polyfill'

const HOURS = 24
const NS_PER_MS = 1_000_000

/**
 * A schedule by the zone's wall clock. A time that the clock jumps over in spring fires as much later as the jump is long; a time that it shows twice in
 * autumn fires once, or twice when the schedule names every hour.
 */
export interface CronSchedule {
  cron: string
  timezone: string
}

/**
 * The latest `count` fire times after `after` and up to `until`, oldest first. They are looked for in a window before `until` that is doubled until it holds
 * enough: the work does not grow with the time that passed.
 */
export function latestFires(schedule: CronSchedule, after: Date, until: Date, count: number): Date[] {
  for (let windowMs = count * 1000; ; windowMs *= 2) {
    const from = Math.max(after.getTime(), until.getTime() - windowMs)
    const fires = nextFires(schedule, new Date(from), Number.POSITIVE_INFINITY, until)
    if (fires.length >= count || from === after.getTime()) return fires.slice(-count)
  }
}

/** Longer than any cron waits: a 29th of February comes again within eight years. */
const LONGEST_WAIT_MS = 10 * 366 * 86_400_000

/** The latest fire time before `before`; undefined when there is none. */
export function previousFire(schedule: CronSchedule, before: Date): Date | undefined {
  const until = new Date(before.getTime() - 1)
  return latestFires(schedule, new Date(until.getTime() - LONGEST_WAIT_MS), until, 1)[0]
}

/** The next fire time after `after`; undefined when there is none. */
export function nextFire(schedule: CronSchedule, after: Date): Date | undefined {
  return firesAfter(schedule, after).next().value
}

/**
 * Fire times after `after`, in order. cron-parser walks the wall clock as if it were UTC, which has no jumps, and Temporal places each time it finds in the
 * zone (`disambiguation: 'compatible'`): cron-parser's own arithmetic loses fires where the clock changes by half an hour.
 */
function* firesAfter({ cron, timezone }: CronSchedule, after: Date): Generator<Date, undefined> {
  let last = after.getTime()
  const walls = CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: new Date(last + leastOffsetMs(last, timezone)) })
  const everyHour = walls.fields.hour.values.length === HOURS
  /** Instants not yet given out: a later wall time can be an earlier instant, since times inside a gap move behind it. */
  let found: number[] = []
  while (walls.hasNext()) {
    const wall = Temporal.Instant.fromEpochMilliseconds(walls.next().getTime()).toZonedDateTimeISO('UTC').toPlainDateTime()
    const place = (disambiguation: 'compatible' | 'earlier' | 'later') =>
      wall.toZonedDateTime(timezone, { disambiguation }).epochMilliseconds
    found = [...found, place('compatible'), ...(everyHour ? [place('later')] : [])].toSorted((a, b) => a - b)
    const known = place('earlier')
    for (; found[0] !== undefined && found[0] <= known; found.shift()) if (found[0] > last) yield new Date((last = found[0]))
  }
  for (const at of found) if (at > last) yield new Date((last = at))
}

/** The least that the zone's wall clock is ahead of UTC within a day of an instant: no wall time that is shown later lies before that. */
function leastOffsetMs(at: number, timezone: string): number {
  const there = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone)
  return Math.min(...[-HOURS, 0, HOURS].map((hours) => there.add({ hours }).offsetNanoseconds)) / NS_PER_MS
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
