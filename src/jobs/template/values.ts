// What stands in a template for a date, and what a value becomes in the text.
import { toValue } from 'liquidjs'
import type { Temporal } from 'temporal-polyfill'
import { isDayText, isoWithOffset, readDate } from '../../lib/time/zoned.ts'

/** A date in a template: written as ISO with the zone's offset, compared with other dates by the instant. What is no date equals none, and cannot be put in order. */
export interface TemplateDate {
  toString(): string
  toJSON(): string
  equals(other: unknown): boolean
  gt(other: unknown): boolean
  geq(other: unknown): boolean
  lt(other: unknown): boolean
  leq(other: unknown): boolean
}

/** `isDay`: it was written without a time, and is that day in whatever zone it is asked for. */
interface Known {
  time: Temporal.ZonedDateTime
  isDay: boolean
}

const known = new WeakMap<object, Known>()

const written = ({ time, isDay }: Known) => (isDay ? time.toPlainDate().toString() : isoWithOffset(time))

export function createTemplateDate(time: Temporal.ZonedDateTime, { isDay = false } = {}): TemplateDate {
  const compare = (other: unknown) => time.epochMilliseconds - toTime(other, time.timeZoneId).epochMilliseconds
  const date: TemplateDate = {
    toString: () => written({ time, isDay }),
    toJSON: () => written({ time, isDay }),
    equals(other) {
      try {
        return compare(other) === 0
      } catch {
        return false
      }
    },
    gt: (other) => compare(other) > 0,
    geq: (other) => compare(other) >= 0,
    lt: (other) => compare(other) < 0,
    leq: (other) => compare(other) <= 0,
  }
  known.set(date, { time, isDay })
  return date
}

/** The date that a value of a template stands for, in a zone. Throws an `Error` that shows the forms of a date. */
export function toTime(value: unknown, timezone: string): Temporal.ZonedDateTime {
  const { time, isDay } = knownDate(value) ?? { time: undefined, isDay: false }
  if (time === undefined) return readDate(value, timezone)
  return isDay ? time.toPlainDate().toZonedDateTime(timezone) : time.withTimeZone(timezone)
}

const knownDate = (value: unknown) => (typeof value === 'object' && value !== null ? known.get(value) : undefined)

/** Whether a value is a date without a time. */
export const isDay = (value: unknown): boolean => knownDate(value)?.isDay ?? (typeof value === 'string' && isDayText(value))

/** What stands in the text for a value. Throws for what has no text of its own: an empty place or [object Object] would be read as the author's words. */
export function toText(given: unknown): string {
  const value: unknown = toValue(given)
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  const date = knownDate(value)
  if (date) return written(date)
  if (value === null || value === undefined)
    throw new Error('there is nothing to write here (null); add | default: "none", or | json to write null')
  if (Array.isArray(value)) throw new Error('a list has no text of its own; add | join: ", " or | json')
  throw new Error('a mapping has no text of its own; name one of its fields, or add | json')
}
