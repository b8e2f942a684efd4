// A long conversation through a small window: what it costs, against cuts that could not be better.
import { expect, test } from 'vitest'
import { roomOf } from '../../../src/core/rules/context/window.ts'
import type { Said } from '../../support/model/answering-model.ts'
import { hold, type Conversation } from '../../support/model/conversation.ts'
import { textResult, type Seen } from '../../support/mcp/scripted-server.ts'

const WINDOW = 32_000
const MAX_OUTPUT = 2000
const TURNS = 60

/** Sixty turns with two hundred calls. */
const said: Said[] = [
  ...Array.from({ length: TURNS }, (_each, turn): Said => ({
    calls: Array.from({ length: turn % 3 === 0 ? 4 : 3 }, (_, call) => ['shop__look', JSON.stringify({ n: turn * 10 + call })]),
  })),
  { text: 'done' },
  // Asked once whether it wants to read what it saw in part.
  { text: 'done' },
]

async function walk(bytes: number, resultBytes = 40_000): Promise<Conversation> {
  const rows = 'a row of a table that is long\n'.repeat(bytes / 30)
  const held = await hold(said, {
    window: { tokens: WINDOW },
    keeps: { window: WINDOW, notes: 'What was found so far. '.repeat(40) },
    limits: { turns: 200, toolCalls: 400 },
    settings: { maxOutputTokens: MAX_OUTPUT },
    resultBytes,
    serve: { 'tools/call': (seen: Seen) => seen.result(textResult(`${String(seen.params?.arguments?.['n'])}: ${rows}`)) },
  })
  expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  expect(held.sent()).toHaveLength(200)
  expect(held.model.refused).toEqual([])
  return held
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)

/** Bytes of the request before each turn of a conversation of which nothing is put aside. */
function wholeOf({ model, journal }: Conversation): number[] {
  const { input: [prompt] = [], ...fixed } = model.asked[0] ?? {}
  let whole = bytesOf({ ...fixed, input: [prompt] })
  const all = [whole]
  const results = new Map(journal.calls.map((call) => [call.callId, journal.ends.find(({ id }) => id === call.id)?.result?.text ?? '']))
  for (const { items } of journal.turns.filter(({ purpose }) => purpose === undefined)) {
    const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
    if (calls.length === 0) continue
    const made = sum(calls.map((call) => bytesOf({ ...call, raw: undefined, from: undefined }) + 1))
    const output = ({ callId }: { callId: string }) =>
      bytesOf({ type: 'function_call_output', call_id: callId, output: results.get(callId) ?? '' }) + 1
    whole += made + sum(calls.map(output))
    all.push(whole)
  }
  return all
}

/** Shares that were found in the cache, of what was sent. */
const cachedOf = ({ model: { counted } }: Conversation) =>
  sum(counted.map(({ cachedTokens }) => cachedTokens)) / sum(counted.map(({ inputTokens }) => inputTokens))

test('two hundred results of 20 KB: what is shown of each leaves room, and four fifths of what is sent was in the cache', async () => {
  await using held = await walk(20_000, 262_144)
  // Ideal: all of the conversation as long as it fits, and from then on as much of it as does.
  const room = roomOf({ tokens: WINDOW }, MAX_OUTPUT) * 4
  const ideal = sum(wholeOf(held).map((whole) => Math.min(whole, room)))
  expect(sum(held.model.asked.map(bytesOf)) / ideal).toBeLessThanOrEqual(1.3)
  expect(cachedOf(held)).toBeGreaterThanOrEqual(0.8)
})

test('results of which 2 KB are shown: the window is used, and four fifths of what is sent was in the cache', async () => {
  await using held = await walk(2000)
  // Ideal: all of the conversation as long as it fits, and from then on as much of it as does.
  const room = roomOf({ tokens: WINDOW }, MAX_OUTPUT) * 4
  const ideal = sum(wholeOf(held).map((whole) => Math.min(whole, room)))
  const sent = sum(held.model.asked.map(bytesOf))
  expect(sent / ideal).toBeLessThanOrEqual(1.3)
  expect(sent / ideal).toBeGreaterThan(0.6)
  expect(cachedOf(held)).toBeGreaterThanOrEqual(0.8)
})

test('between two cuts the beginning of a request is, byte for byte, the one before it', async () => {
  await using held = await walk(2000)
  const { asked } = held.model
  const texts = asked.map(({ tools, input, ...rest }) => JSON.stringify([rest.model, tools, ...input]).slice(0, -1))
  const cuts = held.journal.turns.flatMap(({ context }, index) => (context === undefined ? [] : [index]))
  const broken = texts.flatMap((text, index) => (text.startsWith(texts[index - 1] ?? '') ? [] : [index]))
  expect(texts).toHaveLength(TURNS + 1)
  expect(broken).toEqual(cuts)
  expect(cuts.length).toBeLessThanOrEqual(TURNS / 6)
})
