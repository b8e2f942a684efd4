import Table from 'cli-table3'
import widthOf from 'string-width'
import { fit, wrap, type Terminal } from './terminal.ts'

const NO_LINES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} // prettier-ignore

const BETWEEN = 2

type Row = readonly string[]

export interface Layout {
  /** Columns that hold numbers. */
  right?: readonly number[]
  /** Columns that may be cut where the screen is too narrow for all, and the width that each keeps: texts of people, not ids, codes or figures. */
  cut?: Readonly<Record<number, number>>
}

/** Lays rows out in columns, without lines; where not even cut columns fit beside each other, each row in lines of its own. Without `columns` nothing is too wide. */
export function renderTable(
  { colors, columns = Infinity }: Pick<Terminal, 'colors'> & Partial<Pick<Terminal, 'columns'>>,
  head: Row,
  rows: readonly Row[],
  { right = [], cut = {} }: Layout = {},
): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => widthOf(row[at] ?? ''))))
  const over = () => sum(widths) + BETWEEN * (head.length - 1) - columns
  const mayCut = Object.entries(cut).map(([at, least]) => ({ at: Number(at), least }))
  // The widest first, which has the most to spare.
  for (const { at, least } of mayCut.toSorted((a, b) => (widths[b.at] ?? 0) - (widths[a.at] ?? 0))) {
    const width = widths[at] ?? 0
    if (over() > 0 && width > least) widths[at] = Math.max(width - over(), least)
  }
  if (over() > 0 && rows.length > 0) return renderRecords({ colors, columns }, head, rows)
  const cutAt = (cell: string, at: number) => (at in cut ? fit(cell, widths[at] ?? 0) : cell)
  const table = new Table({
    head: head.map((title, at) => colors.dim(cutAt(title, at))),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (right.includes(column) ? 'right' : 'left')),
  })
  table.push(...rows.map((row) => row.map(cutAt)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Each row as lines of its own, a title and its value; what is empty is left out. */
function renderRecords({ colors, columns }: Pick<Terminal, 'colors' | 'columns'>, head: Row, rows: readonly Row[]): string {
  const titles = Math.max(...head.map((title) => widthOf(title)))
  const line = (title: string, cell: string) =>
    wrap(cell, columns - titles - BETWEEN)
      .map((part, at) => `${at === 0 ? colors.dim(title.padEnd(titles)) : ' '.repeat(titles)}${' '.repeat(BETWEEN)}${part}`)
      .join('\n')
  return rows
    .map((row) => head.flatMap((title, at) => (row[at] === undefined || row[at] === '' ? [] : [line(title, row[at])])).join('\n'))
    .join('\n\n')
}

const sum = (widths: readonly number[]) => widths.reduce((all, width) => all + width, 0)
