import { validate as isPlainCron } from 'node-cron'
import { compileSchema } from '../../lib/schema/json-schema.ts'
import { fieldsOf, oddField } from '../../lib/time/cron-fault.ts'
import type { Fault } from './fault.ts'
import type { JobDefinition } from '../schema.ts'

/** How many values a field has: seconds, minutes, hours, days, months, days of the week. */
const FIELD_SIZES = [60, 60, 24, 31, 12, 7]

/** What is wrong with a schedule of a job that is right by itself. Definitions of earlier versions may have such a one: they are kept, and no files. */
export function scheduleFaults({ schedule, input }: Pick<JobDefinition, 'schedule' | 'input'>): Fault[] {
  if (!schedule) return []
  const faults = formFaults(schedule.cron).map((message) => ({ path: ['schedule', 'cron'], message }))
  const misfit = inputFault(input, schedule.input)
  return misfit === undefined ? faults : [...faults, { path: schedule.input ? ['schedule', 'input'] : ['schedule'], message: misfit }]
}

function inputFault(schema: JobDefinition['input'], given: Record<string, unknown> | undefined): string | undefined {
  if (!schema) return given && 'is given, but the job takes no input; describe it under input: of the job'
  const check = compileSchema(schema)
  const misfit = check(check.filled(given ?? {}))?.replaceAll(/(?<=^|; )\/ /g, 'the input ')
  if (misfit === undefined) return undefined
  return given
    ? `does not match input: of the job: ${misfit}`
    : `runs the job without an input, but ${misfit}; give one, as in ${scheduleWithInput(missingOf(schema))}, let it be left out, or take schedule out`
}

/** The names that an input must have; that of any when its schema names none. */
const missingOf = ({ required }: Record<string, unknown>) =>
  Array.isArray(required) && required.length > 0 ? required.slice(0, 5).map(String) : ['<name>']

/** How a schedule gives an input with these fields. */
export const scheduleWithInput = (fields: readonly string[]): string =>
  `schedule: { …, input: { ${fields.map((field) => `${field}: …`).join(', ')} } }`

function formFaults(cron: string): string[] {
  const fields = fieldsOf(cron)
  if (fields.length === 6) return [`has six fields; a job is due once a minute at most, so write five: ${fiveOf(fields)}`]
  // A second library reads it: what one of them alone takes is no agreed form, such as H, a time drawn at random at each look.
  if (!isPlainCron(cron))
    return [
      `has a part that not every cron knows${odd(fields)}; write numbers, names such as MON, *, lists (1,15), ranges (1-5), steps of them (*/15, 5-59/20), L and 1#2`,
    ]
  const step = stepBeyondField(fields)
  if (step === undefined) return []
  return [`has the step ${step}, which is longer than its field: each field begins anew, so that */90 minutes is each hour; name the times`]
}

function odd(fields: readonly string[]): string {
  const found = oddField(fields, isPlainCron)
  return found === undefined ? '' : ` (${found})`
}

/** The five fields that were meant by six: with a year behind them, as some clouds write, or with seconds before. */
function fiveOf(fields: readonly string[]): string {
  const hasYear = (fields[5] === '*' && fields[2] === '?') || fields[4] === '?'
  if (hasYear) return `"${fields.slice(0, 5).join(' ')}"`
  return fields[0] === '0' ? `"${fields.slice(1).join(' ')}"` : 'minute hour day month weekday'
}

/** A step that passes the end of its field at once, and so is another one than it says. */
function stepBeyondField(fields: readonly string[]): string | undefined {
  const sizes = FIELD_SIZES.slice(-fields.length)
  return fields
    .flatMap((field, at) => [...field.matchAll(/\/(\d+)/g)].map(([, step = '']) => (Number(step) > (sizes[at] ?? 0) ? step : '')))
    .find(Boolean)
}
