import { CronExpressionParser } from 'cron-parser'

const FIELDS = [
  ['second', '0-59'],
  ['minute', '0-59'],
  ['hour', '0-23'],
  ['day of the month', '1-31 or L'],
  ['month', '1-12 or JAN-DEC'],
  ['day of the week', '0-7 or SUN-SAT'],
] as const

/** Names that some crons have for a whole expression. */
const NICKNAMES: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

export const fieldsOf = (cron: string): string[] => cron.trim().split(/\s+/)

/** Why a text is no cron expression of five fields, or of six with seconds first; undefined when it is one. */
export function cronFault(cron: string): string | undefined {
  const fields = fieldsOf(cron)
  const meant = NICKNAMES[fields[0]?.toLowerCase() ?? '']
  if (meant !== undefined) return `${fields[0]} is written "${meant}"`
  if (/[“”„‟‘’«»]/.test(cron)) return 'it has quotes of print; write plain ones, "'
  if (/,\s|\s,/.test(cron))
    return `it has a space at a comma: "${cron
      .split(',')
      .map((part) => part.trim())
      .join(',')}"`
  if (fields.length === 6 && /[a-z]{2}/i.test(fields[5] ?? '') && (/\//.test(fields[5] ?? '') || fields[5] === 'UTC'))
    return `the time zone stands beside it, as timezone: ${fields[5]}`
  if (fields.length !== 5 && fields.length !== 6) return `it has ${fields.length} of five fields: minute hour day month weekday`
  if (isCron(cron)) return undefined
  const five = fields.slice(0, 5).join(' ')
  if (fields.length === 6 && isCron(five)) return `it has six fields, and a year is none of them: "${five}"`
  return oddField(fields, isCron) ?? 'it names a day that its months do not have'
}

/** The first field that is wrong by itself, with what it may be. */
export function oddField(fields: readonly string[], isRight: (cron: string) => boolean): string | undefined {
  const names = FIELDS.slice(-fields.length)
  const at = fields.findIndex((field, place) => !isRight(fields.map((_, other) => (other === place ? field : '*')).join(' ')))
  const name = names[at]
  return name && `${fields[at]} is no ${name[0]}, which is ${name[1]}`
}

function isCron(cron: string): boolean {
  try {
    CronExpressionParser.parse(cron)
    return true
  } catch {
    return false
  }
}
