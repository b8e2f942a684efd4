// A long conversation through a small window: what it costs, against cuts that could not be better.
import { expect, test } from 'vitest'
import { roomOf } from '../../../src/core/rules/context/window.ts'
import type { Said } from '../../support/model/answering-model.ts'
import { hold, type Conversation } from '../../support/model/conversation.ts'
import { textResult, type Seen } from '../../support/mcp/scripted-server.ts'

const WINDOW = 32_000
const MAX_OUTPUT = 2000
const STUB = '[Nightshift: result t1c1 of shop__look, 20 KB, is put aside; nightshift__read_result reads it again.]'
const TURNS = 60

/** Sixty turns with two hundred calls. */
const said: Said[] = [
  ...Array.from({ length: TURNS }, (_each, turn): Said => ({
    calls: Array.from({ length: turn % 3 === 0 ? 4 : 3 }, (_, call) => ['shop__look', JSON.stringify({ n: turn * 10 + call })]),
  })),
  { text: 'done' },
]

async function walk(bytes: number): Promise<Conversation> {
  const rows = 'a row of a table that is long\n'.repeat(bytes / 30)
  const held = await hold(said, {
    window: { tokens: WINDOW },
    keeps: { window: WINDOW, notes: 'What was found so far. '.repeat(40) },
    limits: { turns: 200, toolCalls: 400 },
    settings: { maxOutputTokens: MAX_OUTPUT },
    resultBytes: 40_000,
    serve: { 'tools/call': (seen: Seen) => seen.result(textResult(`${String(seen.params?.arguments?.['n'])}: ${rows}`)) },
  })
  expect(await held.run()).toMatchObject({ text: 'done', reasons: [] })
  expect(held.sent()).toHaveLength(200)
  expect(held.model.refused).toEqual([])
  return held
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)

/** Bytes of the request before each turn of a conversation of which nothing was put aside, and of the same with a stub for each result but those of the turn before. */
function wholeOf({ model, journal }: Conversation): { whole: number; stubbed: number }[] {
  const { input: [prompt] = [], ...fixed } = model.asked[0] ?? {}
  let [whole, stubbed] = [bytesOf({ ...fixed, input: [prompt] }), bytesOf({ ...fixed, input: [prompt] })]
  const all = [{ whole, stubbed }]
  const results = new Map(journal.calls.map((call) => [call.callId, journal.ends.find(({ id }) => id === call.id)?.result?.text ?? '']))
  for (const { items } of journal.turns.filter(({ purpose }) => purpose === undefined)) {
    const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
    if (calls.length === 0) continue
    const made = sum(calls.map((call) => bytesOf({ ...call, raw: undefined, from: undefined }) + 1))
    const output = (text: string, callId: string) => bytesOf({ type: 'function_call_output', call_id: callId, output: text }) + 1
    const told = sum(calls.map(({ callId }) => output(results.get(callId) ?? '', callId)))
    whole += made + told
    all.push({ whole, stubbed: stubbed + made + told })
    stubbed += made + sum(calls.map(({ callId }) => output(STUB, callId)))
  }
  return all
}

test('results of 20 KB, of which a window holds the last few: each is sent once, and little more', async () => {
  await using held = await walk(20_000)
  // Ideal: a result is read whole in the turn after its call, is a stub from then on, and no notes are asked for.
  const ideal = sum(wholeOf(held).map(({ stubbed }) => stubbed))
  const sent = sum(held.model.asked.map(bytesOf))
  expect(sent / ideal).toBeLessThanOrEqual(1.3)
})

test('results of which 2 KB are shown: the window is used, and four fifths of what is sent was in the cache', async () => {
  await using held = await walk(2000)
  // Ideal: all of the conversation as long as it fits, and from then on as much of it as does.
  const room = roomOf({ tokens: WINDOW }, MAX_OUTPUT) * 4
  const ideal = sum(wholeOf(held).map(({ whole }) => Math.min(whole, room)))
  const sent = sum(held.model.asked.map(bytesOf))
  expect(sent / ideal).toBeLessThanOrEqual(1.3)
  expect(sent / ideal).toBeGreaterThan(0.6)
  const { counted } = held.model
  const share = sum(counted.map(({ cachedTokens }) => cachedTokens)) / sum(counted.map(({ inputTokens }) => inputTokens))
  expect(share).toBeGreaterThanOrEqual(0.8)
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
