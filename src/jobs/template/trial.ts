import { Failure } from '../../core/failure.ts'
import { periodOf } from '../../core/rules/schedules/period.ts'
import { isObject } from '../../lib/json/object.ts'
import { compileSchema } from '../../lib/schema/json-schema.ts'
import { sampleOf } from '../../lib/schema/sample.ts'
import type { JobDefinition } from '../schema.ts'
import type { TemplateFault } from './check.ts'
import { renderTemplate } from './render.ts'

/** When the runs that are tried out are due: a time like any other. */
const FIRE = new Date('2026-11-24T07:00:00Z')
const DAY_MS = 86_400_000

/** Why a template cannot be rendered for the runs that the schedule of the job makes; undefined when it can, or when there is none. */
export function scheduledFault(template: string, name: string, definition: JobDefinition): TemplateFault | undefined {
  const { schedule } = definition
  if (!schedule) return undefined
  const failure = tryOut(template, name, definition, schedule.input ?? {})
  if (!failure) return undefined
  const { variable, line } = missingIn(failure)
  if (variable === undefined) return { message: `cannot be rendered with the input of the schedule: ${messageIn(failure)}`, line }
  return {
    message: `uses ${variable}, which the runs of the schedule do not have; give it as schedule.input, or write {{ ${variable} | default: "none" }} or {% if ${variable} %}`,
    line,
  }
}

/** A part of the input that the template needs and the schema does not. It is found by an input of what is required alone; undefined when none can be made up. */
export function optionalFault(template: string, name: string, definition: JobDefinition): TemplateFault | undefined {
  const { input } = definition
  const least = input && sampleOf(input, input)
  if (!input || !isObject(least) || compileSchema(input)(least) !== undefined) return undefined
  const failure = tryOut(template, name, definition, least)
  if (!failure) return undefined
  const { variable, line } = missingIn(failure)
  if (variable === undefined || !variable.startsWith('input.')) return undefined
  return {
    message: `uses ${variable}, which the input may leave out, and the run would fail; name it under required: of the schema, or write {{ ${variable} | default: "none" }} or {% if ${variable} %}`,
    line,
  }
}

function tryOut(template: string, job: string, { schedule, timezone }: JobDefinition, input: unknown): Failure | undefined {
  const since = new Date(FIRE.getTime() - DAY_MS)
  try {
    renderTemplate(template, {
      input,
      job,
      runId: 'run_00000000000000000000000000',
      fireTime: FIRE,
      now: FIRE,
      previousFire: schedule && since,
      period: schedule?.period && periodOf(schedule.period, { fireTime: FIRE, timezone, since }),
      trigger: schedule ? 'schedule' : 'manual',
      timezone,
    })
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

const causeOf = ({ cause }: Failure): string => (cause instanceof Error ? cause.message : String(cause))

const missingIn = (failure: Failure): { variable: string | undefined; line: number } => ({
  variable: /^undefined variable: ([^,\s]{1,200})/.exec(causeOf(failure))?.[1],
  line: Number(/, line:(\d{1,6}), col:\d{1,9}$/.exec(causeOf(failure))?.[1] ?? 1),
})

const messageIn = (failure: Failure): string => causeOf(failure).replace(/, line:\d{1,6}, col:\d{1,9}$/, '')
