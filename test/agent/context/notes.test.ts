// What we say to a model stands in what it is asked, whatever is put aside.
import { expect, test } from 'vitest'
import type { Said } from '../../support/model/answering-model.ts'
import { hold, type Settings } from '../../support/model/conversation.ts'
import { textResult, type Seen } from '../../support/mcp/scripted-server.ts'

const WINDOW = 8000
const serving = (bytesOf: (n: number) => number) => ({
  'tools/call': (seen: Seen) => {
    const n = Number(seen.params?.arguments?.['n'])
    return seen.result(textResult(`${n}: ${'row '.repeat(bytesOf(n) / 4)}`))
  },
})
const looks = (turn: number, count = 1): Said => ({
  calls: Array.from({ length: count }, (_, index) => ['shop__look', JSON.stringify({ n: turn * 100 + index })]),
})
const work = (turns: number, count = 1): Said[] => [...Array.from({ length: turns }, (_, turn) => looks(turn + 1, count)), { text: 'done' }]

const rows: [what: string, said: Said[], settings: Settings][] = [
  [
    'that the turn is the last one, where its results do not fit',
    [looks(1, 20), { text: 'done' }],
    { serve: serving(() => 1000), limits: { turns: 1 } },
  ],
  [
    'what is left, where the results before it do not fit',
    [looks(1, 20), looks(2), { text: 'done' }],
    { serve: serving((n) => (n < 200 ? 1000 : 100)), limits: { turns: 2 } },
  ],
  [
    'that notes are to be written, where what stands before is a stub',
    work(40, 2),
    { serve: serving((n) => (n % 100 === 1 && n % 3 === 0 ? 4000 : 500)), limits: { turns: 200, toolCalls: 400 } },
  ],
  [
    'that notes are to be written, where each result is long',
    work(60, 1),
    { serve: serving((n) => (n % 500 === 0 ? 2000 : 400)), limits: { turns: 200, toolCalls: 400 } },
  ],
]

test.each(rows)('%s', async (_, said, settings) => {
  await using held = await hold(said, {
    window: { tokens: WINDOW },
    keeps: { window: WINDOW, notes: 'Seen. '.repeat(300) },
    resultBytes: 100_000,
    ...settings,
  })
  await held.run()
  const { model, journal } = held
  expect(model.refused).toEqual([])
  expect(model.asked).toHaveLength(journal.turns.length)
  expect(journal.turns.filter(({ context }) => context !== undefined)).not.toEqual([])
  for (const [index, { told, number }] of journal.turns.entries())
    expect
      .soft({
        number,
        told,
        stands: told === null || JSON.stringify(model.asked[index]?.input.at(-1)).includes(JSON.stringify(told).slice(1, -1)),
      })
      .toMatchObject({ stands: true })
})
