// Answers as servers and models give them, to be changed.

type Fields = Record<string, unknown>

export const mcpAnswers = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {}, resources: {} }, serverInfo: { name: 'odd', version: '1', title: 'Odd' }, instructions: 'Ask for act.' }, // prettier-ignore
  'tools/list': {
    tools: [
      {
        name: 'act',
        title: 'Act',
        description: 'acts',
        inputSchema: { type: 'object', properties: { n: { type: 'integer', minimum: 0 }, s: { $ref: '#/$defs/s' } }, required: ['n'], $defs: { s: { type: 'string', pattern: '^a' } } }, // prettier-ignore
        outputSchema: { type: 'object', properties: { total: { type: 'number' } } },
        annotations: { readOnlyHint: true },
        _meta: { a: 1 },
      },
      { name: 'look', inputSchema: { type: 'object' } },
    ],
    nextCursor: null,
  },
  'tools/call': {
    content: [
      { type: 'text', text: 'done', annotations: { audience: ['user'], priority: 0.5 } },
      { type: 'image', data: 'aGk=', mimeType: 'image/png' },
      { type: 'resource_link', uri: 'file:///x', name: 'x', size: 3 },
      { type: 'resource', resource: { uri: 'a:b', text: 'embedded', mimeType: 'text/plain' } },
    ],
    structuredContent: { total: 42 },
    isError: false,
    _meta: { b: 2 },
  },
  'resources/read': {
    contents: [
      { uri: 'a:b', mimeType: 'text/plain', text: 'a resource', _meta: { c: 3 } },
      { uri: 'a:c', mimeType: 'application/json', blob: 'eyJhIjoxfQ==' },
      { uri: 'a:d', mimeType: 'image/png', blob: 'aGk=' },
    ],
  },
  'prompts/get': {
    description: 'a prompt',
    messages: [
      { role: 'user', content: { type: 'text', text: 'Ask for act.' } },
      { role: 'assistant', content: { type: 'resource', resource: { uri: 'a:b', text: 'embedded', mimeType: 'text/plain' } } },
    ],
  },
} satisfies Record<string, Fields>

const usageOfChat = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 2 }, completion_tokens_details: { reasoning_tokens: 1 } } // prettier-ignore
const usageOfResponses = { input_tokens: 10, output_tokens: 5, total_tokens: 15, input_tokens_details: { cached_tokens: 2 }, output_tokens_details: { reasoning_tokens: 1 } } // prettier-ignore
const ARGUMENTS = '{"n": 1, "s": "a"}'
const TEXT = 'The total is 42.'

/** A whole answer of Chat: a call first, then a text. */
export const chatAnswer = (first: boolean): Fields => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'odd',
  choices: [
    {
      index: 0,
      finish_reason: first ? 'tool_calls' : 'stop',
      message: first
        ? { role: 'assistant', content: null, reasoning_content: 'Hm.', annotations: [{ type: 'odd', title: 'odd' }], tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'odd__act', arguments: ARGUMENTS }, extra_content: { signature: 'abc' } }] }
        : { role: 'assistant', content: TEXT, refusal: null },
    },
  ],
  usage: usageOfChat,
}) // prettier-ignore

export function chatChunks(first: boolean): Fields[] {
  const chunk = (delta: Fields, finish: string | null = null) => ({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'odd', choices: [{ index: 0, delta, finish_reason: finish }] }) // prettier-ignore
  const call = (id: string | undefined, text: string) => ({ tool_calls: [{ index: 0, ...(id !== undefined && { id, type: 'function', extra_content: { signature: 'abc' } }), function: { ...(id !== undefined && { name: 'odd__act' }), arguments: text } }] }) // prettier-ignore
  return [
    chunk({ role: 'assistant', content: first ? null : '', reasoning_details: [{ index: 0, type: 'odd', text: 'Hm.' }] }),
    ...(first
      ? [chunk(call('call_1', ARGUMENTS.slice(0, 8))), chunk(call(undefined, ARGUMENTS.slice(8))), chunk({}, 'tool_calls')]
      : [chunk({ content: TEXT.slice(0, 4) }), chunk({ content: TEXT.slice(4) }), chunk({}, 'stop')]),
    { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'odd', choices: [], usage: usageOfChat },
  ]
}

const response = (output: unknown[], extra: Fields = {}): Fields => ({ id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'odd', error: null, incomplete_details: null, output, usage: usageOfResponses, ...extra }) // prettier-ignore
const message = { type: 'message', id: 'm1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: TEXT, annotations: [] }] } // prettier-ignore
const reasoning = { type: 'reasoning', id: 'r1', summary: [], encrypted_content: 'abc' }

export const responsesAnswer = (first: boolean): Fields =>
  response([reasoning, first ? { type: 'function_call', id: 'f1', call_id: 'call_1', name: 'odd__act', arguments: ARGUMENTS, status: 'completed', more: { note: 'abc' } } : message, { type: 'odd', note: 'abc' }]) // prettier-ignore

export const responsesEvents = (first: boolean): Fields[] => [
  { type: 'response.created', sequence_number: 0, response: response([], { status: 'in_progress', usage: null }) },
  { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: first ? { type: 'function_call' } : { ...message, content: [] } },
  ...(first ? [] : [{ type: 'response.output_text.delta', sequence_number: 2, item_id: 'm1', output_index: 0, content_index: 0, delta: TEXT }]),
  { type: 'response.completed', sequence_number: 3, response: responsesAnswer(first) },
] // prettier-ignore

const hostedCall = { type: 'mcp_call', id: 'mcp_1', server_label: 'odd', name: 'act', arguments: ARGUMENTS, output: 'done', error: null }

export const hostedEvents = (): Fields[] => [
  { type: 'response.created', sequence_number: 0, response: response([], { status: 'in_progress', usage: null }) },
  { type: 'response.output_item.added', sequence_number: 1, output_index: 1, item: { ...hostedCall, arguments: '', output: null } },
  { type: 'response.mcp_call_arguments.done', sequence_number: 2, output_index: 1, item_id: 'mcp_1', arguments: ARGUMENTS },
  { type: 'response.output_item.done', sequence_number: 3, output_index: 1, item: hostedCall },
  { type: 'response.completed', sequence_number: 4, response: response([{ type: 'mcp_list_tools', id: 'l1', server_label: 'odd', tools: [{ name: 'act', input_schema: {} }], error: null }, hostedCall, message]) },
] // prettier-ignore
