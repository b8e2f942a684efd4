// What a server refuses by name is left out, where a request can do without; what the author of a job set is not.
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { ModelSettings } from '../../../src/core/models/settings.ts'
import { openProvider, type ProviderBehaviour } from '../../support/model/provider.ts'

const bodySchema = z.looseObject({ max_tokens: z.number(), messages: z.array(z.looseObject({ content: z.unknown() })) })
type Body = z.output<typeof bodySchema>

/** The requests that are sent while `refuse` says no, what came of it, and what was told. */
async function ask(request: ProviderBehaviour['request'], refuse: (body: Body) => string | undefined) {
  const bodies: Body[] = []
  const told: string[] = []
  await using opened = await openProvider(
    { way: 'messages', stream: false, labels: true, warn: (message) => told.push(message), ...(request && { request }) },
    (res, sent) => {
      const body = bodySchema.parse(sent)
      bodies.push(body)
      const message = refuse(body)
      const answer = { content: [{ type: 'text', text: 'ok' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } }
      res
        .writeHead(message === undefined ? 200 : 400, { 'content-type': 'application/json' })
        .end(JSON.stringify(message === undefined ? answer : { type: 'error', error: { type: 'invalid_request_error', message } }))
    },
  )
  return { came: await opened.ask(), last: bodies.at(-1), told, times: bodies.length }
}

const tool = { name: 'act', description: 'Acts.', parameters: { type: 'object' } }
const thought = { type: 'reasoning' as const, raw: { type: 'thinking', thinking: 'Hm.', signature: 's' }, from: 'anthropic odd' }
const exchanges = [
  { items: [thought, { type: 'tool_call' as const, callId: 'c', name: 'act', arguments: '{}' }], results: [{ callId: 'c', text: 'ok' }] },
]
const output = { name: 'output', schema: { type: 'object' }, strict: true }

const rows: [what: string, request: ProviderBehaviour['request'], word: string, message: string][] = [
  ['a format', { output }, 'output_config', 'output_config.format: Extra inputs are not permitted'],
  ['a format by another word', { output }, 'output_config', 'This model does not support structured outputs.'],
  ['marks', { instructions: 'Be exact.' }, 'cache_control', 'system.0.cache_control: Extra inputs are not permitted'],
  ['a choice', { tools: [tool], needsCall: true }, 'tool_choice', 'tool_choice: Input should be auto'],
  ['thinking', { settings: { effort: 'low' } }, '"thinking"', 'adaptive thinking is not supported on this model'],
  ['thoughts that another backend signed', { tools: [tool], exchanges }, '"thinking"', 'messages.1.content.0: Invalid `signature` in `thinking` block'],
  ['whose it is', { labels: { run: 'r', job: 'j', attempt: '1', user: 'u' } }, 'metadata', 'metadata: Extra inputs are not permitted'],
] // prettier-ignore

test.each(rows)('%s: asked once more without, and told of it', async (_, request, word, message) => {
  const { came, last, told, times } = await ask(request, (body) => (JSON.stringify(body).includes(word) ? message : undefined))
  expect(came).toMatchObject({ stopReason: 'end' })
  expect(JSON.stringify(last)).not.toContain(word)
  expect([times, told.length]).toEqual([2, 1])
})

test('words stand in the place of images, where none are read', async () => {
  const images = [{ mediaType: 'image/png', data: 'aGk=' }]
  const [exchange] = exchanges
  const shown = [{ items: exchange?.items ?? [], results: [{ callId: 'c', text: 'a chart', images }] }]
  const { last, told } = await ask({ tools: [tool], exchanges: shown }, (body) =>
    JSON.stringify(body).includes('base64') ? 'messages.2.content.0.tool_result: this model does not support image input' : undefined,
  )
  expect(last?.messages.at(-1)?.content).toMatchObject([
    { type: 'tool_result', content: 'a chart\n[an image, image/png: this model reads no images]' },
  ])
  expect(told).toHaveLength(1)
})

test('an answer of an earlier model may have fewer tokens', async () => {
  const { came, last } = await ask({}, ({ max_tokens: asked }) =>
    asked > 4096 ? `max_tokens: ${asked} > 4096, which is the maximum allowed number of output tokens for m` : undefined,
  )
  expect(came).toMatchObject({ stopReason: 'end' })
  expect(last?.max_tokens).toBe(4096)
})

test.each([
  [
    "'max_tokens' or 'max_completion_tokens' is too large: %d. This model's maximum context length is 16384 tokens and your request has 3000 input tokens (%d > 16384 - 3000).",
    13_384,
  ],
  ['input length and `max_tokens` exceed context limit: 195000 + %d > 200000, decrease input length or `max_tokens` and try again', 5000],
])('an answer has no more tokens than what is read leaves, in this run: %s', async (message, most) => {
  const { came, last, told } = await ask({}, ({ max_tokens: asked }) =>
    asked > most ? message.replaceAll('%d', String(asked)) : undefined,
  )
  expect(came).toMatchObject({ stopReason: 'end' })
  expect(last?.max_tokens).toBe(most > 8192 ? 8192 : 4096)
  expect(told).toEqual(told.map(() => expect.stringContaining('did not take')))
})

test('a window without room for an answer is full', async () => {
  const { came, times } = await ask(
    {},
    ({ max_tokens: asked }) => `input length and \`max_tokens\` exceed context limit: 199000 + ${asked} > 200000`,
  )
  expect(came).toMatchObject({ code: 'CONTEXT_FULL' })
  expect(times).toBe(3)
})

test('where nobody says how many tokens, no setting of a job is to blame', async () => {
  const { came, times } = await ask({}, ({ max_tokens: asked }) => `max_tokens: ${asked} > 2048, which is the maximum allowed number of output tokens for m`) // prettier-ignore
  expect(came).toMatchObject({ code: 'MODEL_REJECTED' })
  expect(came).not.toHaveProperty('cure', expect.stringContaining('maxOutputTokens'))
  expect(times).toBe(3)
})

test.each<readonly [settings: ModelSettings, setting: string, message: string]>([
  [{ effort: 'xhigh' as const }, 'effort', 'output_config.effort: This model does not support effort.'],
  [{ maxOutputTokens: 90_000 }, 'maxOutputTokens', 'max_tokens: 90000 > 64000, which is the maximum allowed number of output tokens for m'],
  // As many as are asked for where nobody says how many.
  ...[32_000, 8192].map(
    (maxOutputTokens) =>
      [
        { maxOutputTokens },
        'maxOutputTokens',
        `max_tokens: ${maxOutputTokens} > 4096, which is the maximum allowed number of output tokens for m`,
      ] as const,
  ),
  [{ temperature: 0.5 }, 'temperature', '`temperature` is deprecated for this model.'],
])('what a job set is not left out: %j', async (settings, setting, message) => {
  const { came, times } = await ask({ settings }, () => message)
  expect(came).toMatchObject({ code: 'MODEL_REJECTED', cure: expect.stringContaining(`model.${setting}`) })
  expect(times).toBe(1)
})
