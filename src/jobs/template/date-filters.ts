import type { Temporal } from 'temporal-polyfill'
import { ordinal, strftime } from '../../lib/time/strftime.ts'
import { createTemplateDate, toTime, type TemplateDate } from './values.ts'

/** Liquid's own format of a date that is written without one. */
const WRITTEN_OUT = '%A, %B %-e, %Y at %-l:%M %P %z'
const UNITS = ['minutes', 'hours', 'days', 'weeks', 'months', 'years'] as const

type DateFilter = (date: { time: Temporal.ZonedDateTime; isDay: boolean }, ...args: unknown[]) => string | TemplateDate

/** The filters of dates. All count in the zone's own days: a day later is the same time of the clock, also where the clock changes. */
export function dateFilters(): Record<string, DateFilter> {
  const filters: Record<string, DateFilter> = {
    // A date without a time is that day in each zone.
    date: (date, format, zone) =>
      strftime(
        zone === undefined ? date.time : toTime(createTemplateDate(date.time, date), asZone(zone)),
        format === undefined ? WRITTEN_OUT : asFormat(format),
      ),
    date_to_xmlschema: ({ time }) => strftime(time, '%FT%T%:z'),
    date_to_rfc822: ({ time }) => strftime(time, '%a, %d %b %Y %T %z'),
    date_to_string: ({ time }, type, style) => dayMonthYear(time, '%b', type, style),
    date_to_long_string: ({ time }, type, style) => dayMonthYear(time, '%B', type, style),
  }
  for (const unit of UNITS) {
    const staysDay = unit !== 'minutes' && unit !== 'hours'
    const moved = (time: Temporal.ZonedDateTime, isDayGiven: boolean) => createTemplateDate(time, { isDay: isDayGiven && staysDay })
    filters[`plus_${unit}`] = (date, count) => moved(date.time.add({ [unit]: asCount(count) }), date.isDay)
    filters[`minus_${unit}`] = (date, count) => moved(date.time.subtract({ [unit]: asCount(count) }), date.isDay)
  }
  return filters
}

function asFormat(format: unknown): string {
  if (typeof format !== 'string') throw new Error('the date format is not a text; write for example "%Y-%m-%d"')
  return format
}

function asZone(zone: unknown): string {
  if (typeof zone !== 'string') throw new Error('the zone of a date is not a text; write for example "Europe/Zurich"')
  return zone
}

function asCount(count: unknown): number {
  if (typeof count !== 'number' || !Number.isInteger(count) || Math.abs(count) > 1e6)
    throw new Error('how many must be a whole number, as in plus_days: 1')
  return count
}

function dayMonthYear(time: Temporal.ZonedDateTime, month: string, type: unknown, style: unknown): string {
  if (type !== 'ordinal') return strftime(time, `%d ${month} %Y`)
  const day = ordinal(time.day)
  return strftime(time, style === 'US' ? `${month} ${day}, %Y` : `${day} ${month} %Y`)
}
