import { expect, test } from 'vitest'
import { readTurnContext, type TurnContext } from '../../../../src/core/rules/context/record.ts'

const written: TurnContext = { aside: ['t1c1'], summary: { of: 3, text: 'notes' }, window: 8192 }

test('what was written is read', () => {
  expect(readTurnContext(JSON.parse(JSON.stringify(written)))).toEqual(written)
})

test.each([null, undefined, {}, 'aside', [], { aside: 't1c1' }, { summary: { of: -1, text: 'x' } }, { window: 0 }])(
  '%j is nothing that was put aside',
  (context) => {
    expect(readTurnContext(context)).toEqual({})
  },
)
