import { periodOf } from '../../core/rules/schedules/period.ts'
import { isObject } from '../../lib/json/object.ts'
import { compileSchema } from '../../lib/schema/json-schema.ts'
import { sampleOf } from '../../lib/schema/sample.ts'
import { scheduleWithInput } from '../faults/schedule.ts'
import type { JobDefinition } from '../schema.ts'
import { placed, type TemplateFault } from './check.ts'
import { render } from './engine.ts'
import type { TemplateScope } from './scope.ts'

/** When the runs that are tried out are due: a time like any other. */
const FIRE = new Date('2026-11-24T07:00:00Z')
const DAY_MS = 86_400_000

/** Why a template cannot be rendered for the runs that the schedule of the job makes; undefined when it can, or when there is none. */
export function scheduledFault(template: string, name: string, definition: JobDefinition): TemplateFault | undefined {
  const { schedule } = definition
  if (!schedule) return undefined
  const untold = tryOut(template, name, definition, schedule.input ?? {})
  if (!untold) return undefined
  const { variable, words, line } = untold
  if (variable === undefined) return { message: `cannot be rendered with the input of the schedule: ${words}`, line }
  return {
    message: `uses ${variable}, which the runs of the schedule do not have; give it, as in ${scheduleWithInput([variable.split('.')[1] ?? variable])}, or write {{ ${variable} | default: "none" }} or {% if ${variable} %}`,
    line,
  }
}

/** A part of the input that the template needs and the schema does not. It is found by an input of what is required alone; undefined when none can be made up. */
export function optionalFault(template: string, name: string, definition: JobDefinition): TemplateFault | undefined {
  const { input } = definition
  const least = input && sampleOf(input, input)
  if (!input || !isObject(least) || compileSchema(input)(least) !== undefined) return undefined
  const { variable, line } = tryOut(template, name, definition, least) ?? {}
  if (variable === undefined || line === undefined || !variable.startsWith('input.')) return undefined
  return {
    message: `uses ${variable}, which the input may leave out, and the run would fail; name it under required: of the schema, or write {{ ${variable} | default: "none" }} or {% if ${variable} %}`,
    line,
  }
}

/** What keeps a template from being rendered, and the variable that is not there, if it is that. */
interface Untold {
  words: string
  line: number
  variable: string | undefined
}

function tryOut(template: string, job: string, { schedule, timezone, input: schema }: JobDefinition, input: unknown): Untold | undefined {
  const since = new Date(FIRE.getTime() - DAY_MS)
  const scope: TemplateScope = {
    input: schema ? compileSchema(schema).filled(input) : input,
    job,
    runId: 'run_00000000000000000000000000',
    fireTime: FIRE,
    now: FIRE,
    previousFire: schedule && since,
    period: schedule?.period && periodOf(schedule.period, { fireTime: FIRE, timezone, since }),
    trigger: schedule ? 'schedule' : 'manual',
    timezone,
  }
  try {
    render(template, scope)
    return undefined
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    return { ...placed(said), variable: /^undefined variable: ([^,\s]{1,200})/.exec(said)?.[1] }
  }
}
