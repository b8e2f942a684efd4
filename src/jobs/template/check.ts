import { evalQuotedToken, Filter, TypeGuards, type Template } from 'liquidjs'
import { messageOf } from '../../core/failure.ts'
import { describeUnknown, unknownCodes } from '../../lib/time/strftime.ts'
import { nearest, suggest } from '../../lib/near.ts'
import { engine } from './engine.ts'
import { VARIABLES } from './scope.ts'

/** What a job has of that which a template may name. */
export interface TemplateOffer {
  /** The job has a schedule, so there is a fire before. */
  previousFire: boolean
  /** The schedule has a period. */
  period: boolean
  /** Names of the input's fields; undefined when others may be there too. */
  inputs: readonly string[] | undefined
}

/** Checks a template without rendering it. Returns what is wrong, with its cure, or undefined. */
export function checkTemplate(template: string, offer: TemplateOffer): string | undefined {
  let templates: Template[]
  let used: string[][]
  try {
    templates = engine.parse(template)
    used = engine.globalVariableSegmentsSync(template).map((path) => path.map(String))
  } catch (error) {
    return `is not a valid Liquid template: ${messageOf(error)}`
  }
  return variableFault(used, offer) ?? formatFault(templates)
}

function variableFault(used: readonly (readonly string[])[], { previousFire, period, inputs }: TemplateOffer): string | undefined {
  const names = new Set(used.map(([name = '']) => name))
  const unknown = [...names].filter((name) => !VARIABLES.some((known) => known === name))
  const [first] = unknown
  if (first !== undefined)
    return `uses the unknown variable ${unknown.join(', ')}; ${meant(first) ?? `a template knows ${VARIABLES.join(', ')}`}`
  if (names.has('previous_fire') && !previousFire)
    return 'uses previous_fire, which a job without a schedule does not have; take it out, or add schedule:'
  if (names.has('period') && !period) return 'uses period, which needs schedule.period: day, week, month or since-last-green'
  const fields = new Set(used.flatMap(([name, field]) => (name === 'input' && field !== undefined ? [field] : [])))
  const missing = inputs && [...fields].filter((field) => !inputs.includes(field))
  if (!missing || missing.length === 0) return undefined
  const what = missing.map((field) => `input.${field}`).join(', ')
  return inputs.length === 0
    ? `uses ${what}, but the job takes no input; describe it under input: properties:`
    : `uses ${what}, which is not among the properties of input:; ${suggest(missing[0] ?? '', inputs)}`
}

function meant(name: string): string | undefined {
  const near = nearest(name, VARIABLES)
  return near && `did you mean ${near}?`
}

/** A format of a date that strftime would not know. One that is made while the template is rendered is seen then. */
function formatFault(templates: readonly Template[]): string | undefined {
  for (const { name, args } of filtersIn(templates)) {
    const [format] = args
    if (name !== 'date' || !TypeGuards.isQuotedToken(format)) continue
    const unknown = unknownCodes(evalQuotedToken(format))
    if (unknown.length > 0) return describeUnknown(unknown)
  }
  return undefined
}

/** All filters of a template that was parsed, wherever they stand: tags keep theirs under names of their own. */
function filtersIn(parsed: unknown, seen = new Set<unknown>()): Filter[] {
  if (typeof parsed !== 'object' || parsed === null || parsed === engine || seen.has(parsed)) return []
  seen.add(parsed)
  const below = Object.values(parsed).flatMap((part) => filtersIn(part, seen))
  return parsed instanceof Filter ? [parsed, ...below] : below
}
