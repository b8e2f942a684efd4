// A provider that counts wrongly what it was asked: its refusals keep the window then, and the model still sees each result whole before it is put aside.
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Asked, Said } from '../../support/model/answering-model.ts'
import { hold } from '../../support/model/conversation.ts'
import { textResult, type Seen } from '../../support/mcp/scripted-server.ts'

const WINDOW = 32_000
const CALLS = 24
const CALL = z.object({ n: z.number() })
const pageOf = (args: unknown): string => `page ${CALL.parse(args).n}: ${'row '.repeat(2000)}`
const said: Said[] = [
  ...Array.from({ length: CALLS }, (_, n): Said => ({ calls: [['shop__look', JSON.stringify({ n })]] })),
  { text: 'done' },
]

/** The number of the result at the end of a request, where it stands there whole. */
const shownIn = ({ input }: Asked): number[] => {
  const [, whole] = /page (\d+): (?:row ){2000}/.exec(JSON.stringify(input.at(-1))) ?? []
  return whole === undefined ? [] : [Number(whole)]
}

const soFar = (): ((tokens: number) => number) => {
  let total = 0
  return (tokens) => (total += tokens)
}

test.each<[string, (tokens: number) => number]>([
  ['right', (tokens) => tokens],
  ['ten times as many', (tokens) => tokens * 10],
  ['more than any model reads', () => 50_000_000],
  ['all that were counted so far', soFar()],
  ['one', () => 1],
  ['none', () => 0],
])('counts of a provider: %s', async (_, says) => {
  await using held = await hold(said, {
    window: { tokens: WINDOW },
    keeps: { window: WINDOW, notes: 'Seen.', says },
    limits: { turns: 100, toolCalls: 100 },
    resultBytes: 100_000,
    serve: { 'tools/call': (seen: Seen) => seen.result(textResult(pageOf(seen.params?.arguments))) },
  })
  const ended = await held.run()
  expect(ended).toMatchObject({ text: 'done', reasons: [] })
  expect(new Set(held.model.asked.flatMap(shownIn)).size).toBe(CALLS)
  expect(held.journal.turns.length - (CALLS + 1), 'summaries').toBeLessThanOrEqual(1)
  expect(held.model.refused.length).toBeLessThanOrEqual(1)
})
