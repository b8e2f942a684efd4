import { pino, type Logger } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { showLine, showText } from '../../lib/text.ts'
import { isObject } from '../../lib/json/object.ts'
import type { Terminal } from './terminal.ts'

/** The log of a process that goes on: JSON lines, and on a terminal lines for people. */
export function createLog({ isTerminal, colors, out }: Pick<Terminal, 'isTerminal' | 'colors' | 'out'>, level: string): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (!isTerminal) return pino(options)
  const pretty = prettyFactory({
    colorize: colors.isColorSupported,
    // The zone of the machine, with its distance from UTC.
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss o',
    hideObject: true,
    messageFormat: (line) => messageOf(line),
  })
  return pino(options, { write: (line: string) => out(pretty(line).trimEnd()) })
}

/** Shown by the library, or below. */
const NOT_A_FIELD = new Set(['level', 'time', 'msg', 'cure'])
const BELOW = '\n    '

/** What happened, its fields behind it, and its cure and stacks below. What is in them came from anywhere: nothing of it acts on the terminal. */
function messageOf(line: Record<string, unknown>): string {
  const fields = Object.entries(line).filter(([key]) => !NOT_A_FIELD.has(key))
  const stacks = fields.flatMap(([, value]) => (isObject(value) && typeof value['stack'] === 'string' ? [value['stack']] : []))
  const below = [...textOf(line['cure']), ...stacks].map((text) => `${BELOW}${showText(text).replaceAll('\n', BELOW)}`)
  return (
    [...textOf(line['msg']).map(showLine), ...fields.map(([key, value]) => `${showLine(key)}=${valueOf(value)}`)].join(' ') + below.join('')
  )
}

const textOf = (value: unknown): string[] => (typeof value === 'string' ? [value] : [])

/** On one line, without a stack. A text that is one word stands as it is. */
function valueOf(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? showLine(value) : showLine(JSON.stringify(value))
  return showLine(JSON.stringify(value, (key, inner: unknown) => (key === 'stack' ? undefined : inner)) ?? '')
}
