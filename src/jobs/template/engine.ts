import { Liquid } from 'liquidjs'
import { Temporal } from 'temporal-polyfill'
import { ordinal, strftime } from '../../lib/time/strftime.ts'
import { inZone } from '../../lib/time/zoned.ts'
import type { TemplateScope } from './scope.ts'
import { guardFilters } from './filters.ts'
import { createTemplateDate, isDay, toText, toTime, type TemplateDate } from './values.ts'

/** A template cannot hold a worker for longer, nor make more text than this. */
const RENDER_LIMIT_MS = 1000
const MEMORY_LIMIT = 10_000_000

/** Liquid's own format of a date that is written without one. */
const WRITTEN_OUT = '%A, %B %-e, %Y at %-l:%M %P %z'
const UNITS = ['minutes', 'hours', 'days', 'weeks', 'months', 'years'] as const

/** Zone and time by the variables of a render: a filter is told no more than those. */
const clocks = new WeakMap<object, { timezone: string; now: Date }>()

export const engine: Liquid = createEngine()

/** Renders without limits of its own on what the scope holds. Throws what Liquid throws, with the place. */
export function render(
  template: string,
  { input, job, runId, fireTime, now, previousFire, period, trigger, timezone }: TemplateScope,
): string {
  const date = (at: Date) => createTemplateDate(inZone(at, timezone))
  const variables = {
    input,
    job,
    run_id: runId,
    trigger,
    timezone,
    fire_time: date(fireTime),
    now: date(now),
    ...(previousFire && { previous_fire: date(previousFire) }),
    ...(period && { period: { from: date(period.from), to: date(period.to) } }),
  }
  clocks.set(variables, { timezone, now })
  const text: unknown = engine.parseAndRenderSync(template, variables)
  return String(text)
}

function createEngine(): Liquid {
  const liquid = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    renderLimit: RENDER_LIMIT_MS,
    memoryLimit: MEMORY_LIMIT,
    outputEscape: toText,
  })
  // A template is all there is of a prompt: these would read files of the worker.
  for (const tag of ['include', 'render', 'layout', 'block']) Reflect.deleteProperty(liquid.tags, tag)
  guardFilters(liquid)
  // Liquid's own would let what has no text of its own pass.
  liquid.registerFilter('raw', (value: unknown) => value)
  for (const [name, filter] of Object.entries(dateFilters()))
    liquid.registerFilter(name, function (value: unknown, ...args: unknown[]) {
      const { timezone, now } = clocks.get(this.context.environments) ?? { timezone: 'UTC', now: new Date() }
      const given = value === 'now' || value === 'today' ? createTemplateDate(inZone(now, timezone)) : value
      return filter({ time: toTime(given, timezone), isDay: isDay(given) }, ...args)
    })
  return liquid
}

type DateFilter = (date: { time: Temporal.ZonedDateTime; isDay: boolean }, ...args: unknown[]) => string | TemplateDate

/** The filters of dates. All count in the zone's own days: a day later is the same time of the clock, also where the clock changes. */
function dateFilters(): Record<string, DateFilter> {
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
