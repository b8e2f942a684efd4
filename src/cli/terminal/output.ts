import { isObject } from '../../lib/json/object.ts'
import { showLine, showText } from '../../lib/text.ts'
import type { RunView } from '../../core/view.ts'
import { renderTable } from './table.ts'
import { fit, fold, type Terminal } from './terminal.ts'

const MIN_CELL = 10
const MAX_CELL = 60
const MAX_COLUMNS = 8

/** A run's output for people: text as it is, JSON as a few lines and tables. Undefined when there is none. */
export function reportText(
  { output, outputText, ending }: Pick<RunView, 'output' | 'outputText' | 'ending'>,
  terminal: Terminal,
): string | undefined {
  if (output !== null) return showOutput(output, terminal) ?? showText(JSON.stringify(output, null, 2))
  if (ending?.kind === 'nothing-new') return `Nothing new: ${showLine(ending.why)}`
  if (outputText === null || outputText === '') return undefined
  return ending?.kind === 'incomplete' ? `A draft, which is no result:\n${showText(outputText)}` : showText(outputText)
}

/** An object of simple values and lists of flat objects; undefined for anything that is better shown as JSON. */
function showOutput(output: unknown, terminal: Terminal): string | undefined {
  if (!isObject(output)) return undefined
  const parts: string[] = []
  for (const [name, value] of Object.entries(output)) {
    if (isSimple(value)) parts.push(fold(`${terminal.colors.bold(showLine(name))}: ${showText(String(value))}`, terminal))
    else if (isRows(value)) parts.push(`${terminal.colors.bold(showLine(name))}:\n${showRows(value, terminal)}`)
    else return undefined
  }
  return parts.join('\n')
}

function showRows(rows: readonly Record<string, unknown>[], terminal: Terminal): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const numbers = columns.flatMap((column, index) => (rows.every((row) => typeof row[column] === 'number') ? [index] : []))
  const cells = rows.map((row) => columns.map((column) => fit(cellText(row[column]), MAX_CELL)))
  return renderTable(
    terminal,
    columns.map((column) => fit(column, MAX_CELL)),
    cells,
    { right: numbers, cut: Object.fromEntries(columns.flatMap((_, at) => (numbers.includes(at) ? [] : [[at, MIN_CELL]]))) },
  )
}

const cellText = (value: unknown) =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

const isSimple = (value: unknown) => value === null || ['string', 'number', 'boolean'].includes(typeof value)
const isRows = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((row) => isObject(row) && Object.keys(row).length <= MAX_COLUMNS && Object.values(row).every(isSimple))
