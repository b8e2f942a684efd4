import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import { endOf } from '../../../src/agent/hosted/ends.ts'
import { outcomeOf } from '../../../src/models/hosted/outcomes.ts'
import { authorizeLines, hostedApp, hostedJob } from '../../support/app/hosted.ts'

type McpCall = OpenAI.Responses.ResponseOutputItem.McpCall

const ID = '0b9ce8b6-8a8e-4b65-b7a5-2a3b7a1c9f10'
const DENIAL = `access denied, please see the authorization log for the request ${ID} for details`

/** An item as a provider sends it, whatever the client's types say. */
function item(part: { output?: unknown; error?: unknown; status?: unknown }): McpCall {
  const whole: unknown = { type: 'mcp_call', id: 'mcp_1', server_label: 'hr', name: 'act', arguments: '{}', ...part }
  const isCall = (value: unknown): value is McpCall => value === whole
  if (!isCall(whole)) throw new Error('not an item')
  return whole
}

const read = (part: { output?: unknown; error?: unknown; status?: unknown }, resultBytes = 1000) =>
  endOf(outcomeOf(item(part)), {
    server: 'hr',
    tool: 'act',
    showing: { resultBytes, keptBytes: resultBytes, canRead: false, redact: (text) => text.replaceAll('hunter2', '[secret]') },
  })

const SHAPES: [what: string, part: { output?: unknown; error?: unknown; status?: unknown }, expected: object][] = [
  ['a result', { output: 'done' }, { status: 'ok', text: 'done', failure: null }],
  ['an empty result', { output: '' }, { status: 'ok', text: '', failure: null }],
  ['a result beside a null error', { output: 'done', error: null }, { status: 'ok', text: 'done' }],
  ['a result that is no text', { output: { rows: 1 } }, { status: 'ok', text: '{"rows":1}' }],
  ['neither result nor error', {}, { status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN' } }],
  ['a result under a status that was left as it began', { output: 'done', status: 'in_progress' }, { status: 'ok', text: 'done' }],
  ...['queued', 'in_progress', 'calling', 'incomplete'].map((status): [string, object, object] => [
    `what is ${status} and has nothing`,
    { output: '', error: '', status },
    { status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN' } },
  ]),
  ['a part of a result', { output: 'do', status: 'incomplete' }, { status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN' } }],
  ['a call that failed and has no error', { output: 'no such row', status: 'failed' }, { status: 'error', text: 'no such row' }],
  ['an error as text', { error: 'no such table' }, { status: 'error', text: 'no such table', failure: null }],
  ['a protocol error', { error: { type: 'mcp_protocol_error', code: -32000, message: 'broken' } }, { status: 'error', text: 'broken' }],
  [
    'invalid params that are no denial',
    { error: { type: 'mcp_protocol_error', code: -32602, message: 'n must be a number' } },
    { status: 'error', text: 'n must be a number', failure: null },
  ],
  [
    'an error of the tool',
    { error: { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'no' }] } },
    { status: 'error', text: '[{"type":"text","text":"no"}]', failure: null },
  ],
  ['a kind nobody knows', { error: { type: 'new_error', reason: 'x' } }, { status: 'error', text: '{"type":"new_error","reason":"x"}' }],
  ['an error that is a number', { error: 7 }, { status: 'error', text: '7' }],
  ['an error that is a list', { error: ['a', 'b'] }, { status: 'error', text: '["a","b"]' }],
  [
    'a denial in a protocol error',
    { error: { type: 'mcp_protocol_error', code: -32602, message: `MCP error -32602: ${DENIAL}` } },
    { status: 'denied', failure: { code: 'TOOL_DENIED', retry: 'never', requestId: ID, server: 'hr' } },
  ],
  ['a denial as text', { error: DENIAL }, { status: 'denied', failure: { code: 'TOOL_DENIED', requestId: ID } }],
  [
    'words of a denial under another code',
    { error: { type: 'mcp_protocol_error', code: -32000, message: DENIAL } },
    { status: 'error', failure: null },
  ],
  [
    'a denial without an id',
    { error: 'access denied, please see the authorization log' },
    { status: 'denied', failure: { code: 'TOOL_DENIED' } },
  ],
  ...[400, 403, 404, 405, 413, 429].map((code): [string, { error: unknown }, object] => [
    `HTTP ${code}`,
    { error: { type: 'http_error', code, message: 'no' } },
    { status: 'not_run', unauthorized: false, failure: { code: 'UPSTREAM_UNAVAILABLE', retry: 'later' } },
  ]),
  ['HTTP 401', { error: { type: 'http_error', code: 401, message: 'no' } }, { status: 'not_run', unauthorized: true }],
  ...[500, 502, 503, 504, 0, 302].map((code): [string, { error: unknown }, object] => [
    `HTTP ${code}`,
    { error: { type: 'http_error', code, message: 'no' } },
    { status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN', retry: 'never', server: 'hr' } },
  ]),
  ['HTTP without a status', { error: { type: 'http_error', message: 'reset' } }, { status: 'unknown' }],
]

test.each(SHAPES)('reads %s', async (_, part, expected) => {
  expect(await read(part)).toMatchObject(expected)
})

test('cuts what is too long, and takes secrets out of results and errors', async () => {
  expect(await read({ output: 'x'.repeat(50) }, 10)).toMatchObject({
    text: 'xxxxxxxx\n[40 bytes of 50 bytes are left out here]\nxx',
    truncated: true,
  })
  expect((await read({ output: 'hunter2' })).text).toBe('[secret]')
  expect((await read({ error: 'hunter2' })).text).toBe('[secret]')
  expect((await read({ error: { type: 'mcp_protocol_error', code: 1, message: 'hunter2' } })).text).toBe('[secret]')
  expect((await read({ error: { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'hunter2' }] } })).text).toContain(
    '[secret]',
  )
})

test.each([
  ['Http status code: 502 (Bad Gateway)', 'unknown'],
  ['HTTP 500', 'unknown'],
  ['fetch failed', 'unknown'],
  ['The request timed out.', 'unknown'],
  ['read ECONNRESET', 'unknown'],
  ['HTTP 429', 'not_run'],
  ['HTTP status code: 401 (Unauthorized)', 'not_run'],
  ['no such table: rows', 'error'],
])('an error that is only the text %j means: %s', async (error, status) => {
  expect(await read({ error })).toMatchObject({ status })
})

const RPC = { 'content-type': 'application/json' }

test.each(['', 'errors-as-text\n'])('errors of tools are told to the model and stand in the rows (%j)', async (verb) => {
  await using one = await hostedApp(`${verb}call counting__act {}\ncall counting__look {}\nsay I saw $1`)
  one.server.answer = (call, _, res) => {
    const id = call.id
    const body =
      call.name === 'act'
        ? { result: { isError: true, content: [{ type: 'text', text: 'not today' }] } }
        : { error: { code: -32000, message: 'broken' } }
    res.writeHead(200, RPC).end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
    return undefined
  }
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', toolCalls: [{ status: 'error' }, { status: 'error' }] })
  expect(run.toolCalls[0]?.result?.text).toContain('not today')
  expect(run.toolCalls[1]?.result?.text).toContain('broken')
})

test.each(['', 'errors-as-text\n'])('a denial is told with the id that Pomerium logged (%j)', async (verb) => {
  await using one = await hostedApp(`${verb}call counting__act {}\nsay sorry`)
  const route = one.testApp.world.gateway.routes.find(({ name }) => name === 'counting')
  if (route) route.policy = { allowUsers: ['svc-reports'], denyTool: 'act' }
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({
    status: 'incomplete',
    outputText: 'sorry',
    reasons: [{ code: 'TOOL_DENIED' }],
    toolCalls: [{ status: 'denied', failure: { code: 'TOOL_DENIED' } }],
    attempts: [{ status: 'incomplete' }],
  })
  const denied = (await authorizeLines(one)).find((line) => line['mcp-tool'] === 'act')
  expect(denied?.['request-id']).toBe(run.toolCalls[0]?.failure?.requestId)
  expect(one.server.effects).toHaveLength(0)
})

test('a call that was answered with HTTP 500 may have run: the run has an answer and is not green', async () => {
  await using one = await hostedApp('call counting__act {}\nsay hm')
  one.server.answer = (_, __, res) => void res.writeHead(500).end('oops')
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    outputText: 'hm',
    reasons: [{ code: 'OUTCOME_UNKNOWN' }],
    toolCalls: [{ status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN' } }],
  })
  expect(one.testApp.world.model.requests).toHaveLength(1)
})

test('a result that is larger than is kept makes the run incomplete', async () => {
  await using one = await hostedApp('call counting__look {}\nsay much', {
    job: hostedJob('limits: { resultBytes: 1024, keptBytes: 1024 }'),
  })
  one.server.answer = () => 'x'.repeat(2000)
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    reasons: [{ code: 'RESULT_TOO_LARGE' }],
    toolCalls: [{ status: 'ok', result: { truncated: true, kept: { whole: false } } }],
  })
})
