// What the connector says of its calls, as events of a hosted answer.
import { APIError } from 'openai'
import { expect, test } from 'vitest'
import type { HostedEvent, HostedOutcome } from '../../../../src/models/hosted.ts'
import { createProvider } from '../../../../src/models/anthropic/provider.ts'
import { createTranslator } from '../../../../src/models/anthropic/hosted/events.ts'
import { hostedBody } from '../../../../src/models/anthropic/hosted/request.ts'

type Event = Record<string, unknown>
const servers = [{ name: 'my-shop', tools: ['act', 'look'] }]
const label = hostedBody({ maxToolCalls: 3, instructions: undefined, prompt: 'Do it.', output: undefined, servers: [{ ...servers[0], name: 'my-shop', tools: ['act'], url: 'https://shop.example.com', headers: { authorization: 'Bearer Pomerium-x' } }] }, { model: 'm', labels: false, maxTokens: undefined }).mcp_servers?.[0]?.name // prettier-ignore

const block = (index: number, content_block: Event, pieces: readonly string[] = []): Event[] => [
  { type: 'content_block_start', index, content_block },
  ...pieces.map((partial_json) => ({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } })),
  { type: 'content_block_stop', index },
]
const start = { type: 'message_start', message: { id: 'msg_1', usage: { input_tokens: 10, output_tokens: 1 } } }
const end = (stop_reason: string, output_tokens = 5): Event[] => [
  { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens } },
  { type: 'message_stop' },
]
const use = (id: string, index: number, name = 'act', server_name = label) =>
  block(index, { type: 'mcp_tool_use', id, name, server_name, input: {} }, ['{"n"', ':1}'])
const result = (id: string, index: number, content: unknown = [{ type: 'text', text: 'done' }], is_error = false) =>
  block(index, { type: 'mcp_tool_result', tool_use_id: id, content, is_error })

function read(events: readonly Event[], translate = createTranslator({ servers, model: 'm', requestId: 'req_1' })): HostedEvent[] {
  return [...events.flatMap((event) => translate.event(event)), ...translate.end()]
}
const answerIn = (events: readonly HostedEvent[]) => events.flatMap((one) => (one.kind === 'answer' ? [one.answer] : []))[0]

test('a call is spoken of, made, and ends, by our name of its server', () => {
  const events = read([start, ...use('u1', 0), ...result('u1', 1), ...block(2, { type: 'text', text: 'Hello' }), ...end('end_turn')])
  const call = { id: 'u1', server: 'my-shop', tool: 'act', position: 0 }
  expect(events).toMatchObject([
    { kind: 'started', responseId: 'msg_1', background: false },
    { kind: 'used' },
    { kind: 'spoken', call: { ...call, arguments: undefined } },
    { kind: 'call', call: { ...call, arguments: '{"n":1}' } },
    { kind: 'ended', call: { ...call, arguments: '{"n":1}', outcome: { kind: 'ok', text: 'done' } } },
    { kind: 'used', usage: { inputTokens: 10, outputTokens: 5 } },
    { kind: 'answer' },
  ])
  const answer = answerIn(events)
  expect(answer?.calls).toMatchObject([{ ...call, outcome: { kind: 'ok' } }])
  expect(answer?.turn()).toMatchObject({ items: [{ type: 'message', text: 'Hello' }], stopReason: 'end', providerRequestId: 'req_1' })
})

test('what was said before the last call was said on the way to it', () => {
  const said = (index: number, text: string) => block(index, { type: 'text', text })
  const events = read([start, ...said(0, 'I act.'), ...use('u1', 1), ...result('u1', 2), ...said(3, 'Done.'), ...end('end_turn')])
  expect(answerIn(events)?.turn().items).toEqual([
    { type: 'message', text: 'I act.', phase: 'commentary' },
    { type: 'message', text: 'Done.' },
  ])
})

test('an answer with breaks is one answer: its calls have places of their own, and its usage is the sum', () => {
  const translate = createTranslator({ servers, model: 'm', requestId: null })
  const first = [start, ...use('u1', 0), ...result('u1', 1), ...end('pause_turn')].flatMap((event) => translate.event(event))
  const before = translate.goOn()
  expect(before).toMatchObject([{ type: 'mcp_tool_use', id: 'u1' }, { type: 'mcp_tool_result' }])
  const second = read([{ ...start, message: { ...start.message, id: 'msg_2' } }, ...use('u2', 0, 'look'), ...result('u2', 1), ...block(2, { type: 'text', text: 'Done.' }), ...end('end_turn')], translate) // prettier-ignore
  expect([...first, ...second].filter(({ kind }) => kind === 'started')).toHaveLength(1)
  expect(answerIn(second)?.calls).toMatchObject([
    { id: 'u1', position: 0 },
    { id: 'u2', tool: 'look', position: 2 },
  ])
  expect(answerIn(second)?.turn().usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
  expect(translate.goOn()).toBeUndefined()
})

test.each([undefined, null])('blocks whose place is %s are as those that say it', (index) => {
  const placed = [start, ...use('u1', 0), ...result('u1', 1), ...use('u2', 2, 'look'), ...result('u2', 3), ...block(4, { type: 'text', text: 'Done.' }), ...end('end_turn')] // prettier-ignore
  const events = read(placed.map((event) => ('index' in event ? { ...event, index } : event)))
  const told = (all: readonly HostedEvent[]) => all.map((one) => [one.kind, 'call' in one ? [one.call.id, one.call.arguments] : undefined])
  expect(told(events)).toEqual(told(read(placed)))
  expect(answerIn(events)?.calls.map(({ id, outcome }) => [id, outcome.kind])).toEqual([
    ['u1', 'ok'],
    ['u2', 'ok'],
  ])
})

test('a block that is said to end again and again ends once', () => {
  const events = read([start, ...use('u1', 0), ...result('u1', 1), ...Array.from({ length: 50 }, () => ({ type: 'content_block_stop', index: 1 })), ...end('end_turn')]) // prettier-ignore
  expect(events.filter(({ kind }) => kind === 'ended')).toHaveLength(1)
  expect(answerIn(events)?.calls).toHaveLength(1)
})

test('servers whose tools were listed, and those that were called', () => {
  const listing = block(0, { type: 'mcp_tool_listing', mcp_server_name: label, tools: [] })
  expect(answerIn(read([start, ...listing, ...end('end_turn')]))?.listed).toEqual([{ server: 'my-shop', error: null }])
  expect(answerIn(read([start, ...use('u1', 0), ...end('max_tokens')]))?.listed).toEqual([{ server: 'my-shop', error: null }])
  expect(answerIn(read([start, ...end('end_turn')]))?.listed).toEqual([])
})

test('a call without a result has none, and a stream without its end gives no answer', () => {
  expect(answerIn(read([start, ...use('u1', 0), ...end('max_tokens')]))?.calls).toMatchObject([{ outcome: { kind: 'no-result' } }])
  expect(answerIn(read([start, ...use('u1', 0), ...result('u1', 1)]))).toBeUndefined()
})

const DENIED = 'access denied, please see the authorization log for request 0b1c2d3e-4f56 for details'
const outcomes: [content: unknown, isError: boolean, outcome: HostedOutcome | object][] = [
  ['done', false, { kind: 'ok', text: 'done' }],
  [[{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, null], false, { kind: 'ok', text: 'ab' }],
  [[{ type: 'text', text: 'no such row' }], true, { kind: 'tool-error', text: 'no such row' }],
  [`MCP error -32602: ${DENIED}`, true, { kind: 'denied' }],
  ['Connection closed', true, { kind: 'lost' }],
  ['Error POSTing to endpoint (HTTP 502): bad gateway', true, { kind: 'http', status: 0 }],
  ['The page was answered with HTTP 404', true, { kind: 'tool-error' }],
  [null, true, { kind: 'tool-error' }],
] // prettier-ignore

test.each(outcomes)('a result %j (error: %s) is %o', (content, isError, outcome) => {
  const events = read([start, ...use('u1', 0), ...result('u1', 1, content, isError), ...end('end_turn')])
  expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({ call: { outcome } })
})

test('no text of a call proves that it did not run', () => {
  for (const status of ['401', '403', '404', '429', '503'])
    for (const text of [`HTTP error ${status}`, `Client error '${status} x' for url`, `Error POSTing to endpoint (HTTP ${status}): x`]) {
      const events = read([start, ...use('u1', 0), ...result('u1', 1, text, true)])
      expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({ call: { outcome: { kind: 'http', status: 0 } } })
    }
})

const errors: [status: number | undefined, message: string, said: object][] = [
  [400, 'Authentication error while communicating with MCP server. Please check your authorization token.', { kind: 'listing', server: 'my-shop', status: 401 }],
  [400, 'Connection error while communicating with MCP server.', { kind: 'listing', server: 'my-shop', status: undefined }],
  [400, `Invalid authorization token for MCP server '${label}'. Please check your token and try again.`, { kind: 'listing', server: 'my-shop', status: 401 }],
  [400, 'max_tokens: Field required', { kind: 'never-began' }],
  [529, 'Overloaded', { kind: 'never-began' }],
  [500, 'Internal server error', { kind: 'other' }],
  [undefined, 'Overloaded', { kind: 'said' }],
] // prettier-ignore

test.each(errors)('an error with status %s, “%s”, is %o', (status, message, said) => {
  const provider = createProvider({ name: 'p', baseUrl: undefined, apiKey: () => undefined, stream: true, labels: false, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: true, maxTokensOf: () => undefined, redact: (text) => text }) // prettier-ignore
  const error = new APIError(status, { message }, undefined, new Headers())
  expect(provider.hosted('m').classifyError(error, ['my-shop'])).toEqual(said)
})

test('each server has its token and the tools that it may call, and no other', () => {
  const request = { maxToolCalls: 3, instructions: 'Be exact.', prompt: 'Do it.', output: undefined, servers: [{ name: 'shop', url: 'https://shop.example.com/mcp', tools: ['act', 'look'], headers: { authorization: 'Bearer Pomerium-x' } }] } // prettier-ignore
  expect(hostedBody(request, { model: 'm', labels: false, maxTokens: 8000 })).toMatchObject({
    max_tokens: 8000,
    mcp_servers: [{ type: 'url', name: 'shop', url: 'https://shop.example.com/mcp', authorization_token: 'Pomerium-x' }],
    tools: [
      {
        type: 'mcp_toolset',
        mcp_server_name: 'shop',
        default_config: { enabled: false },
        configs: { act: { enabled: true }, look: { enabled: true } },
      },
    ],
  })
})

/** How each call ended, as it is told first: while the answer is read, else by the whole of it. */
function endsIn(events: readonly HostedEvent[]): Map<string, string> {
  const ended = events.flatMap((one) => (one.kind === 'ended' ? [one.call] : []))
  const all = [...ended, ...(answerIn(events)?.calls ?? [])]
  return new Map(all.toReversed().map(({ id, outcome }) => [id, outcome.kind]))
}
const nameless = (events: readonly Event[]): Event[] => JSON.parse(JSON.stringify(events), (key, value) => (key === 'id' || key === 'tool_use_id' ? undefined : value)) // prettier-ignore

test.each<[what: string, events: Event[], ends: string[]]>([
  ['a result of no call that is known', [...use('u1', 0), ...result('u9', 1)], ['no-result', 'no-result']],
  ['a result without its call', result('u9', 0), ['no-result']],
  ['one result of two calls with one id', [...use('u1', 0), ...use('u1', 1), ...result('u1', 2)], ['no-result', 'ok']],
  ['a result of each of them', [...use('u1', 0), ...use('u1', 1), ...result('u1', 2), ...result('u1', 3)], ['ok', 'ok']],
  ['the same result twice', [...use('u1', 0), ...use('u2', 1), ...result('u1', 2), ...result('u1', 3)], ['no-result', 'ok']],
  ['one result of two calls without ids', nameless([...use('u1', 0), ...use('u2', 1), ...result('u1', 2)]), ['no-result', 'ok']],
  ['a result without a call or an id', nameless([...use('u1', 0), ...result('u1', 1), ...result('u2', 2)]), ['no-result', 'ok']],
  ['the second of two, which is told first', [...use('u1', 0), ...use('u2', 1), ...result('u2', 2)], ['no-result', 'ok']],
])('a call has ended where its own result was told, and nothing else: %s', (_, told, ends) => {
  expect([...endsIn(read([start, ...told, ...end('end_turn')])).values()].toSorted()).toEqual(ends)
})
