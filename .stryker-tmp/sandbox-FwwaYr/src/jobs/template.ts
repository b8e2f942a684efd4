// @ts-nocheck
import { filters, Liquid } from 'liquidjs'
import { Failure, messageOf } from '../core/failure.ts'

/** A template cannot hold a worker for longer, nor make more text than this. */
const RENDER_LIMIT_MS = 1000
const MEMORY_LIMIT = 10_000_000

const engines = new Map<string, Liquid>()

/** Codes of strftime that stand for others; liquidjs leaves them as they are. */
const DATE_CODES: Readonly<Record<string, string>> = { '%F': '%Y-%m-%d', '%T': '%H:%M:%S', '%R': '%H:%M', '%D': '%m/%d/%y' }
const expandDateCodes = (format: string) => format.replaceAll(/%[%FTRD]/g, (code) => DATE_CODES[code] ?? code)

/** The zone of dates is a setting of the engine, so there is one for each zone. */
function engineFor(timezone: string): Liquid {
  let engine = engines.get(timezone)
  if (!engine) {
    engine = new Liquid({
      strictVariables: true,
      strictFilters: true,
      ownPropertyOnly: true,
      lenientIf: true,
      timezoneOffset: timezone,
      renderLimit: RENDER_LIMIT_MS,
      memoryLimit: MEMORY_LIMIT,
    })
    const writeDate = filters['date']
    if (typeof writeDate === 'function')
      engine.registerFilter('date', function (value: unknown, format: unknown, ...rest: unknown[]) {
        return writeDate.call(this, value, typeof format === 'string' ? expandDateCodes(format) : format, ...rest)
      })
    // A template is all there is of a prompt: these would read files of the worker.
    for (const tag of ['include', 'render', 'layout', 'block']) Reflect.deleteProperty(engine.tags, tag)
    engines.set(timezone, engine)
  }
  return engine
}

export interface TemplateScope {
  input: unknown
  fire_time: Date
  run_id: string
  job: string
  /** Zone in which dates are written: the schedule's, or UTC. */
  timezone?: string | undefined
}

/** Names a template may use at the top level. */
const KNOWN = ['input', 'fire_time', 'run_id', 'job']

/** Checks a template without rendering it. Returns what is wrong, or undefined. */
export function checkTemplate(template: string): string | undefined {
  try {
    const unknown = engineFor('UTC')
      .globalVariablesSync(template)
      .filter((variable) => !KNOWN.includes(variable))
    if (unknown.length > 0) return `uses the unknown variable ${unknown.join(', ')}; a template knows ${KNOWN.join(', ')}`
    return undefined
  } catch (error) {
    return `is not a valid Liquid template: ${messageOf(error)}`
  }
}

/** Renders a template. A variable that is not there is `INPUT_INVALID`, never an empty place in a prompt. */
export function renderTemplate(template: string, scope: TemplateScope): string {
  const { timezone, ...variables } = scope
  try {
    const text: unknown = engineFor(timezone ?? 'UTC').parseAndRenderSync(template, variables)
    return String(text)
  } catch (cause) {
    throw new Failure({ code: 'INPUT_INVALID', message: `The prompt of job ${scope.job} cannot be rendered: ${messageOf(cause)}.`, cause })
  }
}
