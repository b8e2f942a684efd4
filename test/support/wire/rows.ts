import { chatAnswer, chatChunks, hostedEvents, mcpAnswers, responsesAnswer, responsesEvents } from './answers.ts'
import type { Asked, Wire } from './world.ts'

// A row for each kind of answer: each is walked for every field that it has.

type Fields = Record<string, unknown>

/** What is sent, all of it foreign. */
export interface Sent {
  headers: Fields
  /** Fields of the last event of a stream, beside its data. */
  event: Fields
  messages: unknown[]
}

export interface Row extends Sent {
  name: string
  job: Wire
  of: Asked
  status: number
  events: boolean
  /** A stream's last words. */
  last: string
  /** The gateway says that the upstream said it. */
  marked: boolean
  /** Each place that decides something gets a secret of its own. */
  deep: boolean
}

/** Stands for the id of the request that is answered. */
export const ID = '@id'
/** Stands for a secret whose characters are JSON escapes, in JSON that stands in a text. */
export const ESCAPED = '@escaped'
/** Stands for the address of the MCP server. */
export const URL_OF = '@url'

const row = (name: string, job: Wire, of: Asked, messages: unknown[], more: Partial<Row> = {}): Row => ({
  name,
  job,
  of,
  messages,
  status: 200,
  headers: {},
  event: {},
  events: false,
  last: '',
  marked: !of.startsWith('turn') && of !== 'routes',
  deep: more.status === undefined,
  ...more,
})

const result = (value: unknown) => ({ jsonrpc: '2.0', id: ID, result: value })
const rpcError = (code: number, data: unknown) => ({ jsonrpc: '2.0', id: ID, error: { code, message: 'It did not work', data } })
const METHODS = ['initialize', 'tools/list', 'tools/call', 'resources/read', 'prompts/get'] as const

const HEADERS = {
  'x-request-id': '',
  'mcp-session-id': 's-1',
  'www-authenticate': 'Bearer realm="odd", resource_metadata="https://odd/x"',
  'set-cookie': 'a=b; Path=/',
  'retry-after': '0',
  location: 'https://odd/y',
  server: 'odd',
  'content-language': 'en',
  'x-odd': 'odd',
}

const asked = (method: string, id: unknown, params: Fields) => ({ jsonrpc: '2.0', ...(id !== undefined && { id }), method, params })
const WORDS = [
  asked('notifications/progress', undefined, { progressToken: 1, progress: 1, total: 2, message: 'half' }),
  asked('notifications/message', undefined, { level: 'error', logger: 'odd', data: { text: 'said' } }),
  asked('notifications/tools/list_changed', undefined, { _meta: { a: 1 } }),
  asked('sampling/createMessage', 'own-1', { messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }], maxTokens: 1 }),
  asked('elicitation/create', 'own-2', { message: 'who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }),
  asked('roots/list', 'own-3', {}),
  asked('ping', 'own-4', {}),
]

const SPECIAL_RESULTS = {
  'a tool error': { content: [{ type: 'text', text: 'no such table' }], isError: true },
  'a result that is a text': { content: 'done' },
  'a result of structure alone': { content: [], structuredContent: { rows: [{ name: 'a', n: 1 }] } },
  'a result for a person': { content: [{ type: 'text', text: 'for you', annotations: { audience: ['user'] } }, { type: 'text', text: 'for all' }] },
  'a result of sound and links': {
    content: [
      { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
      { type: 'resource_link', uri: 'a:z', name: 'z', title: 'Z', description: 'last', mimeType: 'text/plain', size: 1 },
      { type: 'resource', resource: { uri: 'a:y', blob: 'eyJhIjoxfQ==', mimeType: 'application/json' } },
      { type: 'of-tomorrow', words: 'new' },
    ],
  },
} // prettier-ignore

const mcpRows: Row[] = METHODS.flatMap((of) => [
  row(of, 'chat-streamed', of, [result(mcpAnswers[of])]),
  row(`${of} as events`, 'chat-streamed', of, [...WORDS, result(mcpAnswers[of])], {
    events: true,
    event: { id: 'e-1', event: 'message', retry: '100' },
    deep: of === 'tools/call',
  }),
  row(`the error of ${of}`, 'chat-streamed', of, [rpcError(-32000, { why: 'odd', list: ['x'] })]),
  row(`headers of ${of}`, 'chat-streamed', of, [result(mcpAnswers[of])], { headers: HEADERS, deep: false }),
])

const refusals: Row[] = (['initialize', 'tools/call'] as const).flatMap((of) =>
  [400, 401, 404, 429, 500].flatMap((status) =>
    [true, false].map((marked) =>
      row(`${of} refused with ${status} by the ${marked ? 'upstream' : 'gateway'}`, 'chat-streamed', of, [{ error: 'odd', request_id: 'req-1' }], {
        status,
        marked,
        headers: { 'x-request-id': '', 'www-authenticate': 'Bearer realm="odd"' },
      }),
    ),
  ),
) // prettier-ignore

const resultRows: Row[] = [
  ...Object.entries(SPECIAL_RESULTS).map(([name, one]) => row(name, 'chat-streamed', 'tools/call', [result(one)])),
  row('the error that asks for a person', 'chat-streamed', 'tools/call', [rpcError(-32042, { elicitations: [{ mode: 'url', url: 'https://odd/z', elicitationId: 'x', message: 'open' }] })]),
  row('an error of a call that went lost', 'chat-streamed', 'tools/call', [rpcError(-32001, { why: 'Session not found' })]),
  row('a denial', 'chat-streamed', 'tools/call', [rpcError(-32602, { request_id: 'req-1' })], { marked: false, headers: { 'x-request-id': '' } }),
  row('the list of routes', 'chat-streamed', 'routes', [{ servers: [{ name: 'odd', url: URL_OF, description: 'odd', connected: true }] }], { headers: { 'x-request-id': '' } }),
  ...[401, 403, 500].map((status) => row(`the list of routes with ${status}`, 'chat-streamed', 'routes', [{ error: 'odd' }], { status, headers: { 'x-request-id': '' } })),
] // prettier-ignore

/** A structured output, where the job has a schema. */
const withOutput = (job: Wire, value: unknown): unknown =>
  job.endsWith('whole') ? JSON.parse(JSON.stringify(value).replaceAll('"The total is 42."', JSON.stringify('{"total":42,"rows":[{"name":"a"}]}'))) : value // prettier-ignore

const answers: Record<Wire, (first: boolean) => unknown[]> = {
  'chat-whole': (first) => [chatAnswer(first)],
  'chat-streamed': chatChunks,
  'responses-whole': (first) => [responsesAnswer(first)],
  'responses-streamed': responsesEvents,
  hosted: () => hostedEvents(),
}

const written = (of: 'turn 1' | 'turn 2', from: string, to: string) =>
  row(`JSON of ${of} that is written with escapes`, 'chat-whole', of, [JSON.parse(JSON.stringify(chatAnswer(of === 'turn 1')).replace(JSON.stringify(from), JSON.stringify(to)))], { deep: false }) // prettier-ignore
const escapedRows = [
  written('turn 1', '{"n": 1, "s": "a"}', `{"n":1,"s":"${ESCAPED}"}`),
  written('turn 2', 'The total is 42.', `{"total":42,"note":"${ESCAPED}"}`),
]

const MODEL_HEADERS = { 'x-request-id': '', 'openai-organization': 'org', 'openai-processing-ms': '1', 'x-odd': 'odd' }
const wires = ['chat-whole', 'chat-streamed', 'responses-whole', 'responses-streamed', 'hosted'] as const
const stream = (job: Wire) => ({ events: !job.endsWith('whole'), last: job === 'chat-streamed' ? 'data: [DONE]\n\n' : '' })

const modelRows: Row[] = wires.flatMap((job) => [
  ...(job === 'hosted' ? (['turn 1'] as const) : (['turn 1', 'turn 2'] as const)).map((of) =>
    row(`${of} of ${job}`, job, of, [withOutput(job, answers[job](of === 'turn 1'))].flat(), { ...stream(job), headers: MODEL_HEADERS }),
  ),
  ...[400, 401, 429, 500].map((status) =>
    row(`${job} refused with ${status}`, job, 'turn 1', [{ error: { message: 'It did not work', type: 'odd', code: 'odd', param: 'model' } }], {
      status,
      // Or the client waits before it tries again.
      headers: { 'x-request-id': '', 'retry-after-ms': '1', 'x-should-retry': 'false' },
    }),
  ),
  row(`${job} that broke off with an error`, job, 'turn 1', [{ error: { message: 'It broke off', type: 'server_error', code: 'odd' }, type: 'error', code: 'odd', message: 'It broke off' }], stream(job)),
]) // prettier-ignore

const failed = (response: Fields) => [
  { type: 'response.created', response: { id: 'resp_1' } },
  { type: 'response.failed', response: { id: 'resp_1', object: 'response', model: 'odd', output: [], ...response } },
]
const FAILURES: Record<string, Fields> = {
  'an answer that failed': { status: 'failed', error: { code: 'server_error', message: 'odd' } },
  'an answer that was cut': { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
  'an answer that was refused': {
    output: [{ type: 'message', id: 'm1', role: 'assistant', content: [{ type: 'refusal', refusal: 'I will not' }] }],
  },
}

const call = (more: Fields) => ({
  type: 'mcp_call',
  id: 'mcp_1',
  server_label: 'odd',
  name: 'act',
  arguments: '{"n":1}',
  output: null,
  error: null,
  ...more,
})
const ERRORS: Record<string, unknown> = {
  'a text': 'the tool failed',
  'a status in a text': 'Error calling tool: HTTP status code: 404 of odd',
  'an HTTP error': { type: 'http_error', code: 401, message: 'Unauthorized' },
  'a denial': { type: 'mcp_protocol_error', code: -32602, message: 'access denied, please see the authorization log of request abc-12345678 for details' },
  'an error of the tool': { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'failed', annotations: null }] },
} // prettier-ignore

const LIST = { type: 'mcp_list_tools', id: 'l0', server_label: 'odd', tools: [{ name: 'act', description: 'acts', input_schema: { type: 'object' }, annotations: { readOnlyHint: true } }], error: null } // prettier-ignore

const hostedRow = (name: string, output: unknown[]) =>
  row(name, 'hosted', 'turn 1', [
    { type: 'response.created', response: { id: 'resp_1' } },
    { type: 'response.completed', response: { id: 'resp_1', status: 'completed', model: 'odd', error: null, output: [LIST, ...output] } },
  ], { events: true }) // prettier-ignore

const message = { type: 'message', id: 'm1', role: 'assistant', content: [{ type: 'output_text', text: 'Done it.' }] }

const specialModelRows: Row[] = [
  ...(['responses-streamed', 'hosted'] as const).flatMap((job) =>
    Object.entries(FAILURES).map(([name, one]) => row(`${name}: ${job}`, job, 'turn 1', failed(one), { events: true, deep: job !== 'hosted' })),
  ),
  ...Object.entries(ERRORS).map(([name, error]) => hostedRow(`a hosted call whose error is ${name}`, [call({ error }), message])),
  hostedRow('a hosted list that failed', [{ type: 'mcp_list_tools', id: 'l1', server_label: 'odd', tools: [], error: { message: 'no list' } }, message]),
  hostedRow('a hosted call that wants an approval', [{ type: 'mcp_approval_request', id: 'a1', server_label: 'odd', name: 'act', arguments: '{}' }]),
  row('a hosted answer without its list', 'hosted', 'turn 1', [{ error: { message: "Error retrieving tool list from MCP server: 'odd'. Http status code: 404 (Not Found)", type: 'external_connector_error', code: 'http_error', param: 'tools' } }], { status: 424 }),
] // prettier-ignore

export const ROWS: readonly Row[] = [...mcpRows, ...refusals, ...resultRows, ...modelRows, ...escapedRows, ...specialModelRows]
