// What is kept of a turn goes back to whom it came from: others are told its words.
import { expect, test } from 'vitest'
import type { Exchange } from '../../../src/models/model.ts'
import type { TurnItem } from '../../../src/core/run.ts'
import { itemsOfMessage, messageOfItems } from '../../../src/models/openai/raw/chat-message.ts'
import { itemsOfOutput, toldItems } from '../../../src/models/openai/raw/response-items.ts'
import { withoutField } from '../../../src/models/raw/keep.ts'
import { addPiece } from '../../../src/models/raw/merge.ts'

const stored = (items: TurnItem[]): Exchange['items'] => JSON.parse(JSON.stringify(items))

const output = [
  { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' },
  { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', phase: 'commentary', content: [{ type: 'output_text', text: 'I look.', annotations: [] }] },
  { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'act', arguments: '{"n": 1}', status: 'completed' },
] // prettier-ignore
const items = stored(output.flatMap((one) => itemsOfOutput(one, 'responses a')))
const words = [
  { type: 'message', role: 'assistant', content: 'I look.' },
  { type: 'function_call', call_id: 'call_1', name: 'act', arguments: '{"n": 1}' },
]

test('items of a response go back as they came', () => {
  expect(toldItems(items, 'responses a', true).items).toEqual(output)
})

test('without their ids where nothing is stored', () => {
  expect(toldItems(items, 'responses a', false).items).toEqual(output.map((one) => withoutField(one, 'id')))
})

test.each(['responses b', 'chat a'] as const)('in their words alone to %s', (other) => {
  expect(toldItems(items, other, true).items).toEqual(words)
})

test('items that an earlier version wrote are told in words, and reasoning as it came', () => {
  const earlier = stored([
    { type: 'reasoning', raw: output[0] },
    { type: 'message', text: 'I look.' },
    { type: 'tool_call', callId: 'call_1', name: 'act', arguments: '{"n": 1}' },
  ])
  expect(toldItems(earlier, 'responses a', true).items).toEqual([output[0], ...words])
})

const message = {
  role: 'assistant',
  content: 'I look.',
  reasoning_content: 'Hm.',
  annotations: [],
  tool_calls: [{ id: 'x', type: 'function', function: { name: 'act', arguments: '{"n": 1}' }, extra_content: { google: { thought_signature: 'c2ln' } } }],
} // prettier-ignore

test('a message of a chat goes back as it came, and in its words alone to another provider', () => {
  const said = stored(itemsOfMessage({ ...message, refusal: null }, 'chat a'))
  expect(messageOfItems(said, 'chat a').message).toEqual(message)
  const call = { id: 'x', type: 'function', function: message.tool_calls[0]?.function }
  expect(messageOfItems(said, 'chat b').message).toEqual({ role: 'assistant', content: 'I look.', tool_calls: [call] })
})

test('what is beside the words is bounded', () => {
  const large = stored(itemsOfMessage({ ...message, reasoning_content: 'x'.repeat(3_000_000) }, 'chat a'))
  expect(messageOfItems(large, 'chat a').message).not.toHaveProperty('reasoning_content')
  let deep: unknown = 1
  for (let n = 0; n < 1000; n++) deep = [deep]
  expect(itemsOfMessage({ ...message, odd: deep }, 'chat a').map(({ type }) => type)).toEqual(['message', 'tool_call'])
})

const pieces: [what: string, pieces: object[], whole: object][] = [
  ['texts', [{ a: 'x' }, { a: 'y' }, { a: null }], { a: 'xy' }],
  ['what names or sorts', [{ id: 'x', type: 't' }, { id: 'x', type: 't' }], { id: 'x', type: 't' }],
  ['lists by index', [{ l: [{ index: 1, t: 'b' }] }, { l: [{ index: 0, t: 'a' }, { index: 1, t: 'c' }] }], { l: [{ index: 1, t: 'bc' }, { index: 0, t: 'a' }] }],
  ['lists without an index', [{ l: [{ t: 'a' }] }, { l: [{ t: 'b' }, 1] }], { l: [{ t: 'a' }, { t: 'b' }, 1] }],
  ['objects', [{ o: { a: 'x', n: 1 } }, { o: { a: 'y', n: 2 } }], { o: { a: 'xy', n: 2 } }],
  ['another kind of value', [{ a: 'x' }, { a: { b: 1 } }, { a: [1] }], { a: [1] }],
  ['what would be a prototype', [JSON.parse('{"__proto__":{"a":1},"b":{"__proto__":{"a":1}}}')], { b: {} }],
] // prettier-ignore

test.each(pieces)('pieces of a stream are put together: %s', (_, list, expected) => {
  const whole: Record<string, unknown> = {}
  for (const piece of list) addPiece(whole, { ...piece })
  expect(whole).toEqual(expected)
})
