import type { Finding } from '../../doctor/check.ts'
import { showLine } from '../../lib/text.ts'
import { wrap, type Terminal } from './terminal.ts'

const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '-' } as const

/** What a check found, for people: a mark, what it is, and its cure below. What has lines, such as faults of several files, keeps them. */
export function showFinding({ check, status, message, cure }: Finding, { colors, columns }: Pick<Terminal, 'colors' | 'columns'>): string {
  const color = { ok: colors.green, warning: colors.yellow, failed: colors.red, skipped: colors.dim }[status]
  const lines = `${check}: ${message.trimEnd()}`.split('\n').map((line) => showLine(line.trim()))
  const [first = '', ...others] = lines.flatMap((line) => wrap(line, columns - 4))
  const below = [...others, ...(cure === undefined ? [] : wrap(showLine(cure), columns - 4))].map((line) => `\n    ${line}`)
  return `${color(MARKS[status])} ${first}${below.join('')}`
}
