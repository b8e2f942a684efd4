import { evalQuotedToken, Filter, TypeGuards, type Template } from 'liquidjs'
import { messageOf } from '../../core/failure.ts'
import { describeUnknown, unknownCodes } from '../../lib/time/strftime.ts'
import { nearest, suggest } from '../../lib/near.ts'
import { engine } from './engine.ts'
import { scheduleWithInput } from '../faults/schedule.ts'
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

/** What is wrong with a template, with its cure, and the line in it, from 1. */
export interface TemplateFault {
  message: string
  line: number
}

/** Checks a template without rendering it. */
export function checkTemplate(template: string, offer: TemplateOffer): TemplateFault | undefined {
  let templates: Template[]
  let used: Used[]
  try {
    templates = engine.parse(template)
    const { globals } = engine.analyzeSync(templates)
    used = Object.values(globals).flatMap((all) => all.map(({ segments, location }) => ({ path: namesOf(segments), line: location.row })))
  } catch (error) {
    return explainSyntax(messageOf(error))
  }
  return variableFault(used, offer) ?? formatFault(templates)
}

/** The parts of a variable up to one that is only known at run time, as in input[job]. */
function namesOf(segments: readonly unknown[]): string[] {
  const at = segments.findIndex((segment) => typeof segment === 'object')
  return segments.slice(0, at < 0 ? undefined : at).map(String)
}

const PLACE = /, line:(\d{1,6}), col:\d{1,9}$/

/** Liquid's words, and the line that they end with. */
export const placed = (said: string): { words: string; line: number } => ({
  words: said.replace(PLACE, ''),
  line: Number(PLACE.exec(said)?.[1] ?? 1),
})

function explainSyntax(said: string): TemplateFault {
  const { words, line } = placed(said)
  return { message: cureOf(words) ?? `is not a valid Liquid template: ${words}; ${FORM}`, line }
}

const FORM = 'write a variable and filters, as in {{ fire_time | date: "%F" }}'

/** Liquid's words for what is misspelt or not closed. */
function cureOf(words: string): string | undefined {
  const [, filter] = /^undefined filter: (.{1,100})$/.exec(words) ?? []
  if (filter !== undefined) return `uses the unknown filter ${filter}; ${meant(filter, Object.keys(engine.filters)) ?? 'take it out'}`
  const [, tag] = /^tag "(.{1,100})" not found$/.exec(words) ?? []
  if (tag === 'elseif' || tag === 'elif') return `uses the unknown tag ${tag}; write elsif`
  if (tag !== undefined) return `uses the unknown tag ${tag}; ${suggest(tag, Object.keys(engine.tags))}`
  if (/^output "[^]* not closed$/.test(words)) return 'has a {{ that is not closed; close it with }}'
  const [, open, name] = /^tag (\{%-? ?(\w{1,30})[^]*) not closed$/.exec(words) ?? []
  if (words === 'expected "|" before filter')
    return `has a value that goes on without a |; compare with == and not =, and write a filter behind a |, as in {{ fire_time | date: "%F" }}`
  return open === undefined ? undefined : `has ${open} that is not closed; close it with {% end${name} %}`
}

/** A variable that a template names, and where. */
interface Used {
  path: readonly string[]
  line: number
}

function variableFault(used: readonly Used[], { previousFire, period, inputs }: TemplateOffer): TemplateFault | undefined {
  const of = (name: string) => used.find(({ path }) => path[0] === name)
  const unknown = used.filter(({ path }) => !VARIABLES.some((known) => known === path[0]))
  const [first] = unknown
  if (first) {
    const names = new Set(unknown.map(({ path }) => path[0]))
    const cure = meant(first.path[0] ?? '', VARIABLES) ?? `a template knows ${VARIABLES.join(', ')}`
    return { message: `uses the unknown variable ${[...names].join(', ')}; ${cure}`, line: first.line }
  }
  const fire = of('previous_fire')
  if (fire && !previousFire)
    return { message: 'uses previous_fire, which a job without a schedule does not have; take it out, or add schedule:', line: fire.line }
  const span = of('period')
  if (span && !period) return { message: 'uses period, which needs schedule.period: day, week, month or since-last-green', line: span.line }
  return partFault(used) ?? (inputs && inputFault(used, inputs, previousFire))
}

/** What variables have that are no dates: Liquid gives each text its size. */
const PARTS: Record<string, readonly string[]> = {
  period: ['from', 'to'],
  ...Object.fromEntries(['trigger', 'timezone', 'run_id', 'job'].map((name) => [name, ['size']])),
}

/** A part that a variable does not have: a run would fail of it. */
function partFault(used: readonly Used[]): TemplateFault | undefined {
  for (const { path, line } of used) {
    const [name = '', part, further] = path
    if (name === 'input' || part === undefined) continue
    const parts = PARTS[name] ?? []
    const isDate = !(name in PARTS) || isPeriodPart(path)
    if (parts.includes(part) && further === undefined) continue
    const cure = isDate
      ? `write {{ ${isPeriodPart(path) ? `period.${part}` : name} | date: "%Y" }} for a part of a date`
      : suggest(part, parts)
    return { message: `uses ${path.join('.')}, which is not there; ${cure}`, line }
  }
  return undefined
}

const isPeriodPart = ([name = '', part = '']: readonly string[]) => name === 'period' && (PARTS[name] ?? []).includes(part)

function inputFault(used: readonly Used[], inputs: readonly string[], isScheduled: boolean): TemplateFault | undefined {
  const missing = used.filter(({ path: [name, field] }) => name === 'input' && field !== undefined && !inputs.includes(field))
  const [first] = missing
  if (!first) return undefined
  const field = first.path[1] ?? ''
  const what = [...new Set(missing.map(({ path }) => `input.${path[1]}`))].join(', ')
  const cure =
    inputs.length === 0
      ? `but the job takes no input; describe it under input:, as { type: object, required: [${field}], properties: { ${field}: { type: string } } }${isScheduled ? `, and give it as in ${scheduleWithInput([field])}` : ''}`
      : `which is not among the properties of input:; ${suggest(field, inputs)}`
  return { message: `uses ${what}, ${cure}`, line: first.line }
}

function meant(name: string, known: readonly string[]): string | undefined {
  const near = nearest(name, known)
  return near && `did you mean ${near}?`
}

/** A format of a date that strftime would not know. One that is made while the template is rendered is seen then. */
function formatFault(templates: readonly Template[]): TemplateFault | undefined {
  for (const { name, args } of filtersIn(templates)) {
    const [format] = args
    if (name !== 'date' || !TypeGuards.isQuotedToken(format)) continue
    const unknown = unknownCodes(evalQuotedToken(format))
    if (unknown.length > 0)
      return { message: `asks for a date in a format that ${describeUnknown(unknown)}`, line: format.getPosition()[0] ?? 1 }
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
