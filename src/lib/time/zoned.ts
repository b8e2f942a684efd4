import { Temporal } from 'temporal-polyfill'

/** An instant as the clocks of a zone show it. */
export const inZone = (at: Date, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timezone)

/** `2026-11-23T07:00:00+01:00`: the instant and the zone's clock, to the second. */
export const isoWithOffset = (time: Temporal.ZonedDateTime): string => time.toString({ timeZoneName: 'never', smallestUnit: 'second' })

/**
 * Reads a date of a text or of a number of seconds. A text without an offset is a time of the zone's clock, and one without a time is the start of that day in
 * the zone, whatever zone the process is in. Throws an `Error` that shows the forms.
 */
export function readDate(value: unknown, timezone: string): Temporal.ZonedDateTime {
  try {
    if (typeof value === 'number') return inZone(new Date(value * 1000), timezone)
    if (typeof value === 'string') return readText(value.trim(), timezone)
  } catch {
    // The error is thrown below.
  }
  const shown =
    typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : value === null || value === undefined ? 'nothing' : 'a value'
  throw new Error(`${shown} is not a date; write it as 2026-01-31 or 2026-01-31T07:00:00Z`)
}

/** True for a date without a time. */
export const isDayText = (text: string): boolean => /^\s*\d{4}-\d{2}-\d{2}\s*$/.test(text)

function readText(text: string, timezone: string): Temporal.ZonedDateTime {
  if (/^-?\d+(\.\d+)?$/.test(text)) return inZone(new Date(Number(text) * 1000), timezone)
  if (/(Z|[+-]\d{2}:?\d{2})(\[|$)/i.test(text) && text.length > 'yyyy-mm-dd'.length)
    return Temporal.Instant.from(text).toZonedDateTimeISO(timezone)
  if (isDayText(text)) return Temporal.PlainDate.from(text).toZonedDateTime(timezone)
  return Temporal.PlainDateTime.from(text).toZonedDateTime(timezone, { disambiguation: 'compatible' })
}
