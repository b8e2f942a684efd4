import { expect, test } from 'vitest'
import { notesIn, notesItem, readTurnContext, type TurnContext } from '../../../../src/core/rules/context/record.ts'

const written: TurnContext = { aside: ['t1c1'], summary: { of: 3 }, window: 8192, compacted: 2, leftOut: { tokens: 9000, of: 8192 } }

test('what was written is read', () => {
  expect(readTurnContext(JSON.parse(JSON.stringify(written)))).toEqual(written)
})

test.each([
  null,
  undefined,
  {},
  'aside',
  [],
  { aside: 't1c1' },
  { summary: { of: -1 } },
  { window: 0 },
  { compacted: -1 },
  { leftOut: { tokens: 9000 } },
])('%j is nothing that was put aside', (context) => {
  expect(readTurnContext(context)).toEqual({})
})

test('notes are an item of their own, and no item of a model is taken for them', () => {
  expect(notesIn([notesItem('12 rows')])).toBe('12 rows')
  expect(
    notesIn([
      { type: 'message', text: 'x' },
      { type: 'reasoning', raw: { notes: 'x' } },
      { type: 'reasoning', raw: { notes: 'x' }, from: 'responses nightshift' },
      { type: 'reasoning', raw: 'x', from: 'nightshift' },
    ]),
  ).toBeUndefined()
  expect(notesIn([])).toBeUndefined()
  // Rows of earlier versions are read by this.
  expect(notesItem('x')).toEqual({ type: 'reasoning', raw: { notes: 'x' }, from: 'nightshift' })
})
