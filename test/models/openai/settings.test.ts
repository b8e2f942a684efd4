// What a job sets of its model, in the words of both APIs; and what follows when a server does not take it.
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { ModelSettings } from '../../../src/core/models/settings.ts'
import { chatFields, responsesFields } from '../../../src/models/openai/settings.ts'
import { openProvider, type ProviderBehaviour } from '../../support/model/provider.ts'

const bodySchema = z.looseObject({})
type Body = z.output<typeof bodySchema>
const settings: ModelSettings = { effort: 'low', maxOutputTokens: 900, temperature: 0.5, verbosity: 'low', tier: 'flex' }
const output = { name: 'output', schema: { type: 'object' }, strict: true }
const format = { type: 'json_schema', ...output }

const answers: Record<'responses' | 'chat', object> = {
  responses: {
    id: 'r',
    object: 'response',
    status: 'completed',
    model: 'm',
    service_tier: 'flex',
    output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] }],
    usage: {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 40, cache_write_tokens: 50 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
    },
  },
  chat: {
    id: 'c',
    model: 'm',
    service_tier: 'flex',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }],
    usage: {
      prompt_tokens: 100,
      prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 50 },
      completion_tokens: 5,
      completion_tokens_details: { reasoning_tokens: 2 },
    },
  },
}

/** Asks a server that refuses what `refuses` gives a message for. Returns its bodies and what came of the request. */
async function ask(behaviour: ProviderBehaviour, refuses: (body: Body) => string | undefined = () => undefined) {
  const bodies: Body[] = []
  const told: string[] = []
  await using opened = await openProvider({ ...behaviour, warn: (message) => told.push(message) }, (res, given) => {
    const body = bodySchema.parse(given)
    bodies.push(body)
    const message = refuses(body)
    res.writeHead(message === undefined ? 200 : 400, { 'content-type': 'application/json' })
    res.end(JSON.stringify(message === undefined ? answers[behaviour.way === 'chat' ? 'chat' : 'responses'] : { error: { message } }))
  })
  return { came: await opened.ask(), bodies, told }
}

test.each([
  ['responses', { reasoning: { effort: 'low' }, max_output_tokens: 900, text: { format, verbosity: 'low' } }],
  ['hosted', { reasoning: { effort: 'low' }, max_output_tokens: 900, text: { format, verbosity: 'low' } }],
  ['chat', { reasoning_effort: 'low', max_tokens: 900, verbosity: 'low', response_format: { type: 'json_schema', json_schema: output } }],
] as const)('settings are said in the words of %s, and the key of the cache only where it is to be', async (way, fields) => {
  const request = { settings, cacheKey: 'k', output }
  const shared = { temperature: 0.5, service_tier: 'flex' }
  const keyed = await ask({ way, stream: false, cacheKey: true, request })
  expect(keyed.bodies).toEqual([expect.objectContaining({ ...fields, ...shared, prompt_cache_key: 'k' })])
  expect((await ask({ way, stream: false, request })).bodies[0]).not.toHaveProperty('prompt_cache_key')
  const plain = (await ask({ way, stream: false, request: {} })).bodies[0] ?? {}
  for (const field of [
    'reasoning',
    'reasoning_effort',
    'max_tokens',
    'max_output_tokens',
    'text',
    'verbosity',
    'temperature',
    'service_tier',
  ])
    expect(plain).not.toHaveProperty(field)
})

test.each([
  ['https://api.openai.com/v1', 'default'],
  ['http://gateway.example/v1', 'default'],
  ['https://api.groq.com/openai/v1', undefined],
  ['https://generativelanguage.googleapis.com/v1beta/openai', undefined],
])('the default tier of %s is asked for by its name: %s', (baseUrl, name) => {
  const fields = (tier: ModelSettings['tier']) => [
    chatFields({ settings: { tier } }, false, baseUrl),
    responsesFields({ settings: { tier } }, undefined, baseUrl),
  ]
  for (const one of fields('default')) expect(one.service_tier).toBe(name)
  for (const one of fields('flex')) expect(one.service_tier).toBe('flex')
})

test.each(['responses', 'chat'] as const)('the tier that was used, and what was written into the cache, are read: %s', async (way) => {
  expect((await ask({ way, stream: false })).came).toMatchObject({
    tier: 'flex',
    usage: { inputTokens: 100, cachedTokens: 40, cacheWriteTokens: 50, outputTokens: 5, reasoningTokens: 2 },
  })
})

test('a server that knows one name of the most tokens alone is asked by that', async () => {
  const of = (unknown: string) =>
    ask({ way: 'chat', stream: false, request: { settings: { maxOutputTokens: 900 } } }, (body) =>
      unknown in body ? `Unsupported parameter: '${unknown}' is not supported with this model.` : undefined,
    )
  const { came, bodies } = await of('max_tokens')
  expect(came).toMatchObject({ items: [{ text: 'done' }] })
  expect(bodies).toEqual([expect.objectContaining({ max_tokens: 900 }), expect.objectContaining({ max_completion_tokens: 900 })])
})

const unlike: [field: string, setting: keyof ModelSettings, message: string][] = [
  ['temperature', 'temperature', "Unsupported value: 'temperature' does not support 0.5 with this model."],
  ['reasoning_effort', 'effort', 'Unrecognized request argument supplied: reasoning_effort'],
  ['service_tier', 'tier', 'Invalid service_tier argument'],
  ['max_tokens', 'maxOutputTokens', 'max_tokens is too large: 900. This model supports at most 500 completion tokens'],
]

test.each(unlike)('%s of a job is not left out: the failure names model.%s', async (field, setting, message) => {
  const { came, bodies, told } = await ask({ way: 'chat', stream: false, request: { settings } }, (body) =>
    field in body ? message : undefined,
  )
  expect(came).toMatchObject({ code: 'MODEL_REJECTED', cure: expect.stringContaining(`Take model.${setting} out of the job`) })
  expect([bodies.length, told]).toEqual([1, []])
})

test('without verbosity and the key of the cache a request says the same: they are left out, and told of', async () => {
  for (const way of ['responses', 'chat'] as const) {
    const { came, bodies, told } = await ask({ way, stream: false, cacheKey: true, request: { settings, output, cacheKey: 'k' } }, (body) =>
      JSON.stringify(body).includes('verbosity')
        ? "Unsupported parameter: 'text.verbosity' is not supported with this model."
        : 'prompt_cache_key' in body
          ? 'Unknown parameter: prompt_cache_key'
          : undefined,
    )
    expect(came).toMatchObject({ items: [{ text: 'done' }] })
    expect(told).toHaveLength(2)
    // The format beside it stays.
    expect(JSON.stringify(bodies.at(-1))).toContain('json_schema')
  }
})

test('a conversation that is too long for the tokens of an answer is no refusal of them', async () => {
  const message =
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8100 in the messages, 900 in the completion: max_tokens)."
  const { came } = await ask({ way: 'chat', stream: false, request: { settings } }, () => message)
  expect(came).toMatchObject({ code: 'CONTEXT_FULL' })
})
