import { Liquid } from 'liquidjs'
import { inZone } from '../../lib/time/zoned.ts'
import type { TemplateScope } from './scope.ts'
import { dateFilters } from './date-filters.ts'
import { guardFilters } from './liquid-filters.ts'
import { createTemplateDate, isDay, toText, toTime } from './values.ts'

/** A template cannot hold a worker for longer, nor make more text than this. */
const RENDER_LIMIT_MS = 1000
const MEMORY_LIMIT = 10_000_000

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
