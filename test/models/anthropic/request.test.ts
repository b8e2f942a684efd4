// What a request says: its words, its marks for the cache, and that it only grows at its end.
import { expect, test } from 'vitest'
import type { TurnItem } from '../../../src/core/run.ts'
import { toldBlocks } from '../../../src/models/anthropic/blocks.ts'
import { itemsOfBlocks } from '../../../src/models/anthropic/blocks.ts'
import { bodyOf } from '../../../src/models/anthropic/request.ts'
import type { Exchange, ModelRequest } from '../../../src/models/model.ts'

const stored = (items: TurnItem[]): TurnItem[] => JSON.parse(JSON.stringify(items))

const blocks = [
  { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
  { type: 'redacted_thinking', data: 'abc' },
  { type: 'text', text: 'I look.', citations: null },
  { type: 'tool_use', id: 'toolu_1', name: 'shop__look', input: { n: 1 }, caller: { type: 'direct' } },
]
const items = stored(itemsOfBlocks(blocks, 'anthropic a'))
const text = { type: 'text', text: 'I look.' }
const call = { type: 'tool_use', id: 'toolu_1', name: 'shop__look', input: { n: 1 } }

test('blocks go back as they came, thoughts and signatures with them', () => {
  expect(toldBlocks(items, 'anthropic a')).toEqual([blocks[0], blocks[1], text, { ...call, caller: { type: 'direct' } }])
})

test.each(['anthropic b', 'responses a'] as const)('in their words alone to %s', (other) => {
  expect(toldBlocks(items, other)).toEqual([text, call])
})

test('words of another provider are told, without what only it can read', () => {
  const theirs: TurnItem[] = [
    { type: 'reasoning', raw: { type: 'reasoning', encrypted_content: 'x' }, from: 'responses o' },
    { type: 'reasoning', raw: { type: 'reasoning' } },
    { type: 'tool_call', callId: 'functions.act:0', name: 'act', arguments: '{', raw: { id: 'x' }, from: 'responses o' },
  ]
  const [told, ...rest] = toldBlocks(theirs, 'anthropic a')
  expect(rest).toEqual([])
  expect(told).toEqual({ type: 'tool_use', id: expect.stringMatching(/^[\w-]{1,64}$/), name: 'act', input: { invalid_json: '{' } })
})

test('texts without a letter and thoughts that nothing followed are left out', () => {
  const said: TurnItem[] = [
    { type: 'message', text: '  ' },
    { type: 'reasoning', raw: blocks[0], from: 'anthropic a' },
  ]
  expect(toldBlocks(said, 'anthropic a')).toEqual([])
})

const tool = { name: 'shop__look', description: 'Looks.', parameters: { type: 'object', properties: {}, anyOf: [{ required: ['n'] }] } }
const request = (exchanges: Exchange[], more: Partial<ModelRequest> = {}): ModelRequest => ({
  instructions: 'Be exact.',
  prompt: 'Do it.',
  exchanges,
  tools: [tool],
  mayCall: true,
  output: undefined,
  ...more,
})
const about = { model: 'm', from: 'anthropic a' as const, labels: false }
const looked = (n: number): Exchange => ({
  items: [{ type: 'tool_call', callId: `toolu_${n}`, name: 'shop__look', arguments: `{"n":${n}}` }],
  results: [{ callId: `toolu_${n}`, text: n === 2 ? 'Error: no' : 'seen', ...(n === 2 && { isError: true }) }],
})
const MARK = { cache_control: { type: 'ephemeral' } }

test('a request in the words of the API', () => {
  const exchanges = [looked(1), { ...looked(2), reply: 'Go on.' }]
  expect(bodyOf(request(exchanges), about)).toEqual({
    model: 'm',
    max_tokens: 32_000,
    system: [{ type: 'text', text: 'Be exact.', ...MARK }],
    tools: [{ name: 'shop__look', description: 'Looks.', input_schema: { type: 'object', properties: {} } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Do it.' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'shop__look', input: { n: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen', ...MARK }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_2', name: 'shop__look', input: { n: 2 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'Error: no', is_error: true },
          { type: 'text', text: 'Go on.', ...MARK },
        ],
      },
    ],
  })
})

test('the settings of a job, the form of its answer and whose it is', () => {
  const labels = { run: 'r', job: 'j', attempt: '1', user: 'digest' }
  const settings = { effort: 'high', maxOutputTokens: 900, tier: 'priority' } as const
  const output = { name: 'output', schema: { type: 'object' }, strict: true }
  expect(bodyOf(request([], { settings, output, labels, mayCall: false }), { ...about, labels: true })).toMatchObject({
    max_tokens: 900,
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
    service_tier: 'auto',
    metadata: { user_id: 'digest' },
    tool_choice: { type: 'none' },
  })
})

test.each([
  [{ needsCall: true }, { type: 'any' }],
  [{ mayCall: false }, { type: 'none' }],
  [
    { mayCall: false, mustCall: 'shop__look' },
    { type: 'tool', name: 'shop__look' },
  ],
  [{}, undefined],
])('%j is the choice of tools %j', (more, choice) => {
  expect(bodyOf(request([], more), about).tool_choice).toEqual(choice)
})

test('images of a result stand in it', () => {
  const exchange = looked(1)
  const results = exchange.results.map((one) => ({ ...one, images: [{ mediaType: 'image/png', data: 'aGk=' }] }))
  const { messages } = bodyOf(request([{ ...exchange, results }]), about)
  expect(messages.at(-1)?.content).toMatchObject([
    {
      content: [
        { type: 'text', text: 'seen' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
      ],
    },
  ])
})

test('calls of before are told with the tools that they were of, where none may be called any more', () => {
  const { tools, tool_choice } = bodyOf(request([looked(1)], { tools: [], mayCall: false }), about)
  expect({ tools, tool_choice }).toEqual({
    tools: [{ name: 'shop__look', input_schema: { type: 'object' } }],
    tool_choice: { type: 'none' },
  })
})

test('a longer conversation begins with the same bytes, but for the marks, of which there are four at most', () => {
  const plain = (exchanges: Exchange[]) => {
    const body = bodyOf(request(exchanges), about)
    const json = JSON.stringify([body.tools, body.system, body.messages])
    expect(json.split('"cache_control"').length - 1).toBeLessThanOrEqual(4)
    return JSON.stringify([body.tools, body.system, body.messages]).replaceAll(',"cache_control":{"type":"ephemeral"}', '').slice(0, -2)
  }
  const exchanges = Array.from({ length: 30 }, (_, n) => looked(n))
  for (let n = 1; n < exchanges.length; n++) expect(plain(exchanges.slice(0, n + 1)).startsWith(plain(exchanges.slice(0, n)))).toBe(true)
})
