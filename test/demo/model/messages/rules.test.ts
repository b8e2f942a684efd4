// What the scripted Messages server insists on, and how it counts what it keeps.
import { expect, test } from 'vitest'
import { blocksOfTurn } from '../../../../src/demo/model/messages/answer.ts'
import { createMarkedCache } from '../../../../src/demo/model/messages/cache.ts'
import { createMessageRules } from '../../../../src/demo/model/messages/rules.ts'

const CALL = { calls: [{ name: 'look', arguments: '{}' }], stop: 'end' as const }
const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] })
const tools = [{ name: 'look', input_schema: { type: 'object' } }]
const use = (id: string, more: object = {}) => ({
  role: 'assistant',
  content: [{ type: 'tool_use', id, name: 'look', input: {}, ...more }],
})
const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'seen' }] })
const body = (messages: unknown, more: object = {}) => ({ model: 'm', max_tokens: 10, messages, tools, ...more })
const thinking = { thinking: { type: 'adaptive' } }

test('it takes back what it said as it said it, thoughts first', () => {
  const rules = createMessageRules()
  const content = rules.dress(blocksOfTurn(CALL), thinking)
  expect(content.map(({ type }) => type)).toEqual(['thinking', 'tool_use'])
  const id = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))[0] ?? ''
  const told = (said: unknown[]) => rules.refuse(body([user('Look.'), { role: 'assistant', content: said }, result(id)], thinking), false)
  expect(told(content)).toBeUndefined()
  expect(told(content.slice(1))).toContain('Expected `thinking`')
  expect(told(content.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'Other.' } : block)))).toContain(
    'Invalid `signature`',
  )
  const [thought] = content
  expect(rules.refuse(body([user('Look.'), { role: 'assistant', content: [thought] }, user('Go on.')]), false)).toContain('final block')
})

const faults: [what: string, request: object, said: string][] = [
  ['a field that it does not know', body([user('a')], { store: true }), 'store: Extra inputs are not permitted'],
  ['servers without the beta', body([user('a')], { mcp_servers: [] }), 'mcp_servers: Extra inputs'],
  ['no limit of tokens', { model: 'm', messages: [user('a')] }, 'max_tokens: Field required'],
  ['the assistant first', body([use('a')]), 'first message must use the "user" role'],
  ['an empty text', body([user('')]), 'must be non-empty'],
  ['a text without a letter', body([user(' ')]), 'non-whitespace'],
  ['a call without its result', body([user('a'), use('x'), user('b')]), 'without `tool_result` blocks immediately after: x'],
  ['a result without its call', body([user('a'), result('x')]), 'unexpected `tool_use_id`'],
  ['a result behind a text', body([user('a'), use('x'), { role: 'user', content: [...user('b').content, ...result('x').content] }]), 'must come first'],
  ['an id twice', body([user('a'), use('x'), result('x'), use('x'), result('x')]), 'must be unique'],
  ['an id of other characters', body([user('a'), use('x:0'), result('x:0')]), 'String should match pattern'],
  ['an input that is a text', body([user('a'), use('x', { input: '{}' }), result('x')]), 'valid dictionary'],
  ['calls without tools', body([user('a'), use('x'), result('x')], { tools: [] }), 'must define tools'],
  ['alternatives at the top', body([user('a')], { tools: [{ name: 'look', input_schema: { type: 'object', anyOf: [] } }] }), 'oneOf, allOf, or anyOf'],
  ['a choice that is made for a model that thinks', body([user('a')], { ...thinking, tool_choice: { type: 'any' } }), 'Thinking may not be enabled'],
  ['an open schema', body([user('a')], { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } }), 'additionalProperties'],
  ['five marks', body([{ role: 'user', content: Array.from({ length: 5 }, () => ({ type: 'text', text: 'a', cache_control: {} })) }]), 'Found 5'],
] // prettier-ignore

test.each(faults)('%s', (_, request, said) => {
  expect(createMessageRules().refuse({ ...request }, false)).toContain(said)
})

const long = 'word '.repeat(2000)
const marked = (text: string) => ({ role: 'user', content: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }] })

test('what stands before a mark is kept, and found where it is the same', () => {
  const cache = createMarkedCache()
  const first = cache.look(body([marked(long)]))
  expect(first).toMatchObject({ cachedTokens: 0, writtenTokens: first.inputTokens })
  const second = cache.look(body([user(long), { role: 'assistant', content: [{ type: 'text', text: 'a' }] }, marked('b')]))
  expect(second.cachedTokens).toBe(first.inputTokens)
  expect(second.writtenTokens).toBe(second.inputTokens - first.inputTokens)
  expect(cache.look(body([marked(`other ${long}`)]))).toMatchObject({ cachedTokens: 0 })
})

test('nothing is kept without a mark, or of less than there must be', () => {
  const cache = createMarkedCache()
  for (const text of [long, 'short']) {
    const message = text === long ? user(text) : marked(text)
    cache.look(body([message]))
    expect(cache.look(body([message]))).toMatchObject({ cachedTokens: 0, writtenTokens: 0 })
  }
})
