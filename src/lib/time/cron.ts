import { CronExpressionParser, type CronDate, type CronExpression } from 'cron-parser'
import { Temporal } from 'temporal-polyfill'

const HOURS = 24
const NS_PER_MS = 1_000_000
const SECOND_MS = 1000

/**
 * A schedule by the zone's wall clock. A time that the clock jumps over in spring fires as much later as the jump is long; a time that it shows twice in
 * autumn fires once, or twice when the schedule names every hour.
 */
export interface CronSchedule {
  cron: string
  timezone: string
}

/**
 * The latest `count` fire times after `after` and up to `until`, oldest first. They are looked for from `until` back: the work does not grow with the time that
 * passed, nor with how many fires stood together at some time of it.
 */
export function latestFires(schedule: CronSchedule, after: Date, until: Date, count: number): Date[] {
  const walls = wallsOf(schedule, until.getTime() + mostOffsetMs(until.getTime(), schedule.timezone) + SECOND_MS)
  const everyHour = namesEveryHour(walls)
  let found: number[] = []
  while (walls.hasPrev()) {
    const wall = wallOf(walls.prev())
    // No wall time before this one is shown later than that, also where the clock jumps.
    const wallMs = wall.toZonedDateTime('UTC').epochMilliseconds
    const latestMs = wallMs - leastOffsetMs(wallMs, schedule.timezone)
    if (latestMs <= after.getTime() || (found.length >= count && latestMs < (found[0] ?? 0))) break
    const instants = instantsOf(wall, schedule.timezone, everyHour).filter((at) => at > after.getTime() && at <= until.getTime())
    found = [...new Set([...instants, ...found])].toSorted((a, b) => a - b).slice(-count)
  }
  return found.map((at) => new Date(at))
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
  const walls = wallsOf({ cron, timezone }, last + leastOffsetMs(last, timezone))
  const everyHour = namesEveryHour(walls)
  /** Instants not yet given out: a later wall time can be an earlier instant, since times inside a gap move behind it. */
  let found: number[] = []
  while (walls.hasNext()) {
    const wall = wallOf(walls.next())
    found = [...found, ...instantsOf(wall, timezone, everyHour)].toSorted((a, b) => a - b)
    const known = wall.toZonedDateTime(timezone, { disambiguation: 'earlier' }).epochMilliseconds
    for (; found[0] !== undefined && found[0] <= known; found.shift()) if (found[0] > last) yield new Date((last = found[0]))
  }
  for (const at of found) if (at > last) yield new Date((last = at))
}

/** The wall times of a cron around an instant of UTC that stands for a wall time. */
const wallsOf = ({ cron }: CronSchedule, at: number): CronExpression =>
  CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: new Date(at) })

const namesEveryHour = ({ fields }: CronExpression) => fields.hour.values.length === HOURS

const wallOf = (found: CronDate): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochMilliseconds(found.getTime()).toZonedDateTimeISO('UTC').toPlainDateTime()

/** When a wall time fires: a skipped one as much later as the jump is long, a doubled one once, or twice where every hour is named. */
const instantsOf = (wall: Temporal.PlainDateTime, timezone: string, everyHour: boolean): number[] =>
  (everyHour ? (['compatible', 'later'] as const) : (['compatible'] as const)).map(
    (disambiguation) => wall.toZonedDateTime(timezone, { disambiguation }).epochMilliseconds,
  )

/** By how much the zone's wall clock is ahead of UTC a day before, at and a day after an instant. */
function offsetsMs(at: number, timezone: string): number[] {
  const there = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone)
  return [-HOURS, 0, HOURS].map((hours) => there.add({ hours }).offsetNanoseconds / NS_PER_MS)
}

/** The least of them: no wall time that is shown later lies before that. */
const leastOffsetMs = (at: number, timezone: string): number => Math.min(...offsetsMs(at, timezone))
/** The most of them: no wall time that is shown earlier lies behind that. */
const mostOffsetMs = (at: number, timezone: string): number => Math.max(...offsetsMs(at, timezone))

/** The next `count` fire times after `after`, and up to `until` where it is given, oldest first. */
export function nextFires(schedule: CronSchedule, after: Date, count: number, until?: Date): Date[] {
  const fires: Date[] = []
  for (const at of firesAfter(schedule, after)) {
    if (until && at > until) break
    if (fires.push(at) >= count) break
  }
  return fires
}
