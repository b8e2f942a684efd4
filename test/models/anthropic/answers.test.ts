// How answers are read: from servers that keep to the API, and from such as do not.
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openProvider } from '../../support/model/provider.ts'

type Event = Record<string, unknown>

const stream = (events: readonly Event[]) => (res: ServerResponse) =>
  res
    .writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' })
    .end(events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
const whole = (answer: object) => (res: ServerResponse) =>
  res.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' }).end(JSON.stringify(answer))

const start = { type: 'message_start', message: { id: 'msg_1', model: 'm-1', content: [], usage: { input_tokens: 10, cache_read_input_tokens: 30, cache_creation_input_tokens: 60, output_tokens: 1, service_tier: 'standard' } } } // prettier-ignore
const text = (said: string, index: unknown = 0): Event[] => [
  { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index, delta: { type: 'text_delta', text: said } },
  { type: 'content_block_stop', index },
]
const end = (reason: unknown, more: object = {}): Event[] => [
  { type: 'message_delta', delta: { stop_reason: reason, ...more }, usage: { output_tokens: 7 } },
  { type: 'message_stop' },
]
const use = (index: unknown, pieces: readonly string[], more: object = {}): Event[] => [
  { type: 'content_block_start', index, content_block: { type: 'tool_use', id: 'toolu_1', name: 'act', input: {}, ...more } },
  ...pieces.map((partial_json) => ({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } })),
  { type: 'content_block_stop', index },
]

const said = { type: 'message', text: 'Hello' }
const call = { type: 'tool_call', callId: 'toolu_1', name: 'act', arguments: '{"n": 1}' }
const thought = { type: 'reasoning', raw: { type: 'thinking', thinking: 'Hm.', signature: 's1s2' }, from: 'anthropic odd' }
const thinking = (index: number): Event[] => [
  { type: 'content_block_start', index, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
  { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: 's1' } },
  { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: 's2' } },
]

const streams: [what: string, events: Event[], turn: object][] = [
  ['a text', [start, ...text('Hel'), { type: 'ping' }, ...text('lo', 1), ...end('end_turn')], { items: [{ text: 'Hel' }, { text: 'lo' }], stopReason: 'end', responseId: 'msg_1', model: 'm-1', providerRequestId: 'req_1', tier: 'default' }],
  ['usage: all input counts', [start, ...text('Hello'), ...end('end_turn')], { usage: { inputTokens: 100, cachedTokens: 30, cacheWriteTokens: 60, outputTokens: 7 } }],
  ['usage that comes at the end', [{ ...start, message: { id: 'msg_1' } }, ...text('Hello'), { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: null } }], { usage: { inputTokens: 5, cachedTokens: 0, outputTokens: 2 } }],
  ['no usage', [{ ...start, message: { usage: null } }, ...text('Hello'), { type: 'message_delta', delta: { stop_reason: 'end_turn' } }], { usage: null }],
  ['thoughts and a call in pieces', [start, ...thinking(0), ...use(1, ['{"n"', ': 1}']), ...end('tool_use')], { items: [thought, call], stopReason: 'end' }],
  ['a call of the provider’s own, whose input is an object when it is told again', [start, ...use(0, ['{"n"', ': 1}'], { type: 'server_tool_use' }), ...text('Hello', 1), ...end('end_turn')], { items: [{ type: 'reasoning', raw: { type: 'server_tool_use', input: { n: 1 } } }, said] }],
  ['a call whose input came whole', [start, ...use(0, [], { input: { n: 1 } }), ...end('tool_use')], { items: [{ ...call, arguments: '{"n":1}' }] }],
  ['a call without an id, which gets one', [start, ...use(0, ['{}'], { id: null }), ...end('tool_use')], { items: [{ callId: expect.stringMatching(/^call_/) }] }],
  ['two calls with the same id, which get two', [start, ...use(0, ['{}']), ...use(1, ['{}']), ...end('tool_use')], { items: [{ callId: 'toolu_1' }, { callId: expect.stringMatching(/^call_/) }] }],
  ['blocks without an index or a beginning', [start, { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello' } }, ...end('end_turn')], { items: [said] }],
  ['without its first event', [...text('Hello'), ...end('stop_sequence')], { items: [said], stopReason: 'end', responseId: null, model: 'm' }],
  ['cut', [start, ...text('Hello'), ...end('max_tokens')], { items: [said], stopReason: 'cut' }],
  ['refused', [start, ...text('Hello'), ...end('refusal', { stop_details: { type: 'refusal', category: 'bio', explanation: 'No.' } })], { items: [said, { type: 'refusal', text: 'No.' }], stopReason: 'filtered' }],
  ['refused without a word', [start, ...end('refusal')], { items: [{ type: 'refusal', text: expect.stringContaining('stop_reason: refusal') }] }],
  ['the window ended', [start, ...text('Hello'), ...end('model_context_window_exceeded')], { code: 'CONTEXT_FULL' }],
  ['an ending that is not known', [start, ...text('Hello'), ...end('resting')], { code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('“resting”') }],
  ['a call that is said, and is not there', [start, ...text('Hello'), ...end('tool_use')], { code: 'MODEL_UNAVAILABLE' }],
  ['a stream without its end', [start, ...text('Hello')], { code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('without its last event') }],
  ['an end that does not say how', [start, ...text('Hello'), { type: 'message_stop' }], { code: 'MODEL_UNAVAILABLE' }],
  ['an error in the midst', [start, ...text('Hello'), { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }], { code: 'MODEL_UNAVAILABLE' }],
  ['nothing that is an object', [start, { type: 'content_block_delta', index: 0, delta: null }, { type: 'content_block_start', index: 3, content_block: 'x' }, ...text('Hello', 1), ...end('end_turn')], { items: [said] }],
] // prettier-ignore

test.each(streams)('a stream: %s', async (_, events, turn) => {
  await using opened = await openProvider({ way: 'messages', stream: true }, stream(events))
  expect(await opened.ask()).toMatchObject(turn)
})

const usage = { input_tokens: 5, output_tokens: 2 }
const wholes: [what: string, answer: object, turn: object][] = [
  ['a text', { id: 'msg_1', content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn', usage }, { items: [said], stopReason: 'end', providerRequestId: 'req_1' }],
  ['a text in place of blocks', { content: 'Hello', stop_reason: 'end_turn', usage: {} }, { items: [said], usage: null }],
  ['calls', { content: [{ type: 'tool_use', id: 'toolu_1', name: 'act', input: { n: 1 } }], stop_reason: 'tool_use', usage }, { items: [{ ...call, arguments: '{"n":1}' }] }],
  ['without a word for its end', { content: [{ type: 'text', text: 'Hello' }], usage }, { code: 'MODEL_UNAVAILABLE' }],
  ['no content', { id: 'msg_1', stop_reason: 'end_turn' }, { code: 'MODEL_UNAVAILABLE' }],
  ['an error with status 200', { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 5 tokens > 4 maximum' } }, { code: 'CONTEXT_FULL' }],
] // prettier-ignore

test.each(wholes)('a whole answer: %s', async (_, answer, turn) => {
  await using opened = await openProvider({ way: 'messages', stream: false }, whole(answer))
  expect(await opened.ask()).toMatchObject(turn)
})

test('a break is no end: what was said goes back as it came, and what follows is added', async () => {
  const bodies: unknown[] = []
  const paused = [
    { type: 'text', text: 'I wait.' },
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { q: 'x' } },
  ]
  await using opened = await openProvider({ way: 'messages', stream: false }, (res, body) => {
    bodies.push(body)
    if (bodies.length === 1) whole({ content: paused, stop_reason: 'pause_turn', usage })(res)
    else whole({ id: 'msg_2', content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn', usage })(res)
  })
  expect(await opened.ask()).toMatchObject({
    items: [{ text: 'I wait.' }, { type: 'reasoning' }, said],
    usage: { inputTokens: 10, outputTokens: 4 },
    responseId: 'msg_2',
  })
  const { messages } = z.object({ messages: z.array(z.unknown()) }).parse(bodies[1])
  expect(messages.at(-1)).toEqual({ role: 'assistant', content: paused })
})

test('a provider that takes breaks without end is given up', async () => {
  let posts = 0
  await using opened = await openProvider({ way: 'messages', stream: false }, (res) => {
    posts++
    whole({ content: [{ type: 'text', text: 'I wait.' }], stop_reason: 'pause_turn', usage })(res)
  })
  expect(await opened.ask()).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('took a break 20 times') })
  expect(posts).toBe(21)
})

test.each<[what: string, before: object | null, last: object | null, times: number, input: number | undefined]>([
  ['each', usage, usage, 1, 10],
  ['not the first', null, usage, 2, 5],
  ['not the last', usage, null, 2, undefined],
])('requests of an answer with a break that say what they used, %s, are counted once', async (_, before, last, times, input) => {
  let posts = 0
  await using opened = await openProvider({ way: 'messages', stream: false }, (res) => {
    if (++posts === 1) whole({ content: [{ type: 'text', text: 'I wait.' }], stop_reason: 'pause_turn', usage: before })(res)
    else whole({ content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn', usage: last })(res)
  })
  expect(await opened.ask()).toHaveProperty('usage', input === undefined ? null : expect.objectContaining({ inputTokens: input }))
  expect(opened.counted.times).toBe(times)
})
