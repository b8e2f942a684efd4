import { expect, test } from 'vitest'
import { z } from 'zod'
import { chatAnswer } from '../../../../src/demo/model/chat.ts'
import { responsesAnswer } from '../../../../src/demo/model/responses.ts'
import { createBedrock, createDeepseek, createGemini, createGroq, createMistral } from '../../../../src/demo/model/vendors/compatible.ts'
import { createOpenai } from '../../../../src/demo/model/vendors/openai.ts'
import type { Vendor } from '../../../../src/demo/model/vendors/vendor.ts'

const CALL = { calls: [{ name: 'look', arguments: '{}' }], stop: 'end' as const }
const COUNTED = { inputTokens: 1, cachedTokens: 0 }

const format = (schema: unknown) => ({ format: { type: 'json_schema', name: 'output', strict: true, schema } })
const inMode = { response_format: { type: 'json_schema', json_schema: {} }, tools: [{ type: 'function' }] }

/** Its message, wherever the vendor puts it. */
const said = (refusal: ReturnType<Vendor['refuse']>) => (refusal === undefined ? 'taken' : JSON.stringify(refusal.body))

/** A first answer of `vendor` and what it is sent then: the answer as it came, with a result for each call. */
function chatOf(vendor: Vendor) {
  const message = vendor.dressCompletion(chatAnswer({ model: 'm' }, CALL, COUNTED)).choices[0]?.message
  if (!message?.tool_calls) throw new Error('it called nothing')
  const results = message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'done' }))
  const user = { role: 'user', content: 'Look.' }
  return { user, message, results, body: { messages: [user, message, ...results] } }
}

const VENDORS: [string, () => Vendor][] = [
  ['OpenAI', createOpenai],
  ['DeepSeek', createDeepseek],
  ['Gemini', createGemini],
  ['Mistral', createMistral],
  ['Bedrock', createBedrock],
  ['Groq', createGroq],
]

test.each(VENDORS)('%s takes back what it said as it said it', (_, create) => {
  const vendor = create()
  expect(said(vendor.refuse('chat', chatOf(vendor).body))).toBe('taken')
})

const rebuilt = (vendor: Vendor) => {
  const { user, message, results } = chatOf(vendor)
  return {
    messages: [user, { role: 'assistant', content: '', tool_calls: message.tool_calls?.map(({ id, type }) => ({ id, type })) }, ...results],
  }
}

test.each<[string, () => Vendor, (vendor: Vendor) => Record<string, unknown>, string]>([
  ['DeepSeek: thoughts left out', createDeepseek, rebuilt, 'Missing `reasoning_content` field'],
  ['DeepSeek: a format by a schema', createDeepseek, () => inMode, 'This response_format type is unavailable now'],
  ['DeepSeek: a call demanded', createDeepseek, () => ({ tool_choice: 'required' }), 'does not support this tool_choice'],
  ['Gemini: a signature left out', createGemini, rebuilt, 'missing a thought_signature'],
  ['Gemini: a format beside tools', createGemini, () => inMode, 'is unsupported'],
  ['Mistral: a field that it does not know', createMistral, () => ({ store: false }), 'extra_forbidden'],
  ['Mistral: an id of another length', createMistral, () => ({ messages: [{ tool_calls: [{ id: 'call_1' }] }] }), 'with a length of 9'],
  [
    'Mistral: the user right after a result',
    createMistral,
    () => ({ messages: [{ role: 'tool' }, { role: 'user' }] }),
    "Unexpected role 'user'",
  ],
  ['Bedrock: a text without a letter', createBedrock, rebuilt, 'must be non-empty'],
  ['Groq: a format beside tools', createGroq, () => inMode, 'cannot be combined'],
  ['OpenAI: labels without keeping', createOpenai, () => ({ metadata: { run: '1' } }), "only allowed when 'store' is enabled"],
  ['OpenAI: no calls in a list of them', createOpenai, () => ({ messages: [{ role: 'assistant', tool_calls: [] }] }), 'is too short'],
  ['OpenAI: a result without its call', createOpenai, () => ({ messages: [{ role: 'tool', tool_call_id: 'a' }] }), "with role 'tool'"],
  [
    'OpenAI: a call without its result',
    createOpenai,
    () => ({
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'a' }] },
        { role: 'user', content: 'Go on.' },
      ],
    }),
    'did not have response messages: a',
  ],
])('refused in chat by %s', (_, create, body, message) => {
  const vendor = create()
  expect(said(vendor.refuse('chat', body(vendor)))).toContain(message)
})

const itemSchema = z.looseObject({ id: z.string(), call_id: z.string().optional() })

/** A first answer with reasoning at /v1/responses, and the result of its call. */
function turnOf(more: Record<string, unknown>) {
  const vendor = createOpenai({ reasons: true })
  const request = { model: 'm', ...more }
  const [reasoning, call] = z.array(itemSchema).parse(vendor.dressResponse(responsesAnswer(request, CALL, COUNTED), request).output)
  if (!reasoning || !call) throw new Error('it said too little')
  const output = { type: 'function_call_output', call_id: call.call_id, output: 'done' }
  return { reasoning, call, output, say: (...input: unknown[]) => said(vendor.refuse('responses', { ...request, input })) }
}

const ENCRYPTED = { store: false, include: ['reasoning.encrypted_content'] }

test.each([
  ['kept', {}],
  ['not kept, and encrypted', ENCRYPTED],
])('OpenAI takes back items that are %s', (_, more) => {
  const { reasoning, call, output, say } = turnOf(more)
  expect(say({ role: 'user', content: 'Look.' }, reasoning, call, output)).toBe('taken')
})

test('OpenAI refuses items that were torn apart', () => {
  const { reasoning, call, output, say } = turnOf(ENCRYPTED)
  expect(say(call, output)).toContain(`was provided without its required 'reasoning' item: '${reasoning.id}'`)
  expect(say(reasoning)).toContain('without its required following item')
  expect(say(reasoning, output, call)).toContain('without its required following item')
  expect(say(reasoning, call)).toContain('No tool output found for function call')
  expect(say(output)).toContain('No tool call found for function call output')
  expect(say(reasoning, call, output, reasoning, call, output)).toContain(`Duplicate item found with id ${reasoning.id}`)
})

test('OpenAI does not know an item that it did not keep', () => {
  const { reasoning, call, output, say } = turnOf({ store: false })
  expect(say(reasoning, call, output)).toContain(`Item with id '${reasoning.id}' not found`)
})

test.each<[string, Record<string, unknown>, string]>([
  ['17 labels', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v'])) }, 'too many properties'],
  ['a label that is no text', { metadata: { n: 1 } }, "Invalid 'metadata.n'"],
  ['a long name of its user', { safety_identifier: 'u'.repeat(65) }, 'string too long'],
  [
    'an open object in a strict schema',
    { text: format({ type: 'object', properties: { a: { type: 'object' } }, required: ['a'], additionalProperties: false }) },
    "context=('properties.a')",
  ],
  [
    'a strict schema with a property that may be left out',
    { text: format({ type: 'object', properties: { a: {} }, additionalProperties: false }) },
    'context=()',
  ],
])('OpenAI refuses %s', (_, body, message) => {
  expect(said(createOpenai().refuse('responses', body))).toContain(message)
})
