import { expect, test } from 'vitest'
import { createColors } from 'picocolors'
import { renderTable, type Layout } from '../../../src/cli/terminal/table.ts'

const HEAD = ['at', 'act', 'by', 'runs', 'reason']
const ROWS = [
  ['03:00Z', 'cancel', 'alice@example.com', '12', 'the warehouse moves and nobody needs it'],
  ['03:01Z', 'pause', 'token:ops', '', ''],
]
const show = (columns: number | undefined, layout: Layout, rows = ROWS) =>
  renderTable({ colors: createColors(false), ...(columns !== undefined && { columns }) }, HEAD, rows, layout)
const CUT: Layout = { right: [3], cut: { 2: 10, 4: 12 } }

test('what fits is not cut, nor is anything where there is no screen', () => {
  expect(show(200, CUT)).toBe(show(undefined, CUT))
  expect(show(200, CUT)).toContain('the warehouse moves and nobody needs it')
})

test('where the screen is too narrow, columns that may be cut give way, the widest first', () => {
  expect(show(60, CUT)).toMatchInlineSnapshot(`
    "at      act     by                 runs  reason
    03:00Z  cancel  alice@example.com    12  the warehouse move…
    03:01Z  pause   token:ops"
  `)
  expect(show(54, CUT)).toMatchInlineSnapshot(`
    "at      act     by                 runs  reason
    03:00Z  cancel  alice@example.com    12  the warehous…
    03:01Z  pause   token:ops"
  `)
})

test('where that is not enough, each row has lines of its own, nothing is cut and what is empty is left out', () => {
  expect(show(40, CUT)).toMatchInlineSnapshot(`
    "at      03:00Z
    act     cancel
    by      alice@example.com
    runs    12
    reason  the warehouse moves and nobody
            needs it

    at      03:01Z
    act     pause
    by      token:ops"
  `)
  expect(show(60, {})).toContain('reason  the warehouse moves and nobody needs it')
})

test.each([200, 100, 80, 60, 54, 50, 40, 30])('at %i columns no line is longer', (columns) => {
  for (const line of show(columns, CUT).split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
})

test('characters that take two places count as two, and colors as none', () => {
  const wide = [['03:00Z', '\u001B[31mcancel\u001B[39m', '倉庫の人々はここで働いている', '1', '']]
  const narrow = show(40, CUT, wide)
  expect(narrow).toContain('倉庫の')
  expect(narrow).toContain('…')
  expect(narrow).toContain('\u001B[31mcancel\u001B[39m')
})

test('a table without rows is its head', () => {
  expect(show(10, CUT, [])).toContain('at')
})
