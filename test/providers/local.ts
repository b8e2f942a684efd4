import {
  createAzure,
  createBedrock,
  createDeepseek,
  createGemini,
  createGroq,
  createMistral,
} from '../../src/demo/model/vendors/compatible.ts'
import { OPENAI_HABITS } from '../../src/demo/model/vendors/habits.ts'
import { createOpenai } from '../../src/demo/model/vendors/openai.ts'
import { ends, TOTAL_OUTPUT } from './pieces.ts'
import type { Expected, ProviderRow } from './row.ts'

/** A call that has an effect, two that have none and come in one turn, and an answer. */
const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {"n": 1} & counting__look {"n": 2}\nsay $1 $2 $3'
const GREEN: Expected = { status: 'succeeded', code: null, made: 3 }
const JSON_SCRIPT = SCRIPT.replace('$1 $2 $3', '{"total": 3}')

const row = (name: string, of: Partial<ProviderRow> = {}): ProviderRow => ({
  name,
  delegate: 'local',
  api: 'responses',
  script: SCRIPT,
  expected: GREEN,
  ...of,
})

const reasoning = () => createOpenai({ reasons: true })

/** The same row for a stream and for a whole answer. */
const bothWays = (one: ProviderRow): ProviderRow[] => [
  one,
  { ...one, name: `${one.name}, not streamed`, provider: { ...one.provider, stream: false } },
]

/** The same with `output.schema`, which most servers take in their own way. */
const withSchema = (one: ProviderRow): ProviderRow[] => [
  one,
  { ...one, name: `${one.name}, with a schema`, script: JSON_SCRIPT, more: TOTAL_OUTPUT },
]

export const localRows: ProviderRow[] = [
  ...bothWays(row('OpenAI, calls paired with reasoning', { vendor: reasoning })),
  ...bothWays(row('OpenAI, store: false', { vendor: reasoning, provider: { store: false } })),
  ...withSchema(row('OpenAI, store: true', { vendor: reasoning, provider: { store: true } })).slice(1),
  ...bothWays(row('OpenAI, chat', { api: 'chat' })),
  ...[
    row('DeepSeek, thoughts sent back', { api: 'chat', vendor: createDeepseek }),
    row('Gemini, signatures sent back', { api: 'chat', vendor: createGemini }),
    row('Mistral, own fields and ids of nine letters', { api: 'chat', vendor: createMistral }),
    row('Groq, no format beside tools', { api: 'chat', vendor: createGroq }),
    row('Azure, its version and its key', { api: 'chat', vendor: createAzure, provider: { apiVersion: '2024-10-21' } }),
    row('Bedrock, no empty text', { api: 'chat', vendor: createBedrock }),
  ].flatMap(withSchema),
  ...bothWays(row('Anthropic', { api: 'anthropic' })),
  ...bothWays(row('Anthropic, with a schema', { api: 'anthropic', script: JSON_SCRIPT, more: TOTAL_OUTPUT })),
  ...bothWays(row('Anthropic, thoughts sent back', { api: 'anthropic', model: 'scripted, effort: high' })),
  row('a message before a call, Anthropic', { api: 'anthropic', script: `aside Let me act.\n${SCRIPT}` }),
  row('a refusal, Anthropic', { api: 'anthropic', script: 'refuse I will not', expected: ends('failed', 'MODEL_REFUSED', 0) }),
  row('the filter, Anthropic', { api: 'anthropic', script: 'filter', expected: ends('failed', 'MODEL_REFUSED', 0) }),
  row('a stream that breaks off, Anthropic', { api: 'anthropic', script: `cut\n${SCRIPT}` }),
  row('a stream without its end, Anthropic', { api: 'anthropic', script: `silent\n${SCRIPT}` }),
  row('Azure, not streamed', { api: 'chat', vendor: createAzure, provider: { apiVersion: '2024-10-21', stream: false } }),
  row('Azure, /openai/v1 at its own API', {
    vendor: () => ({ ...createAzure(), ...createOpenai(), query: 'api-version' }),
    provider: { apiVersion: 'preview' },
  }),
  row('Azure, without its version', { api: 'chat', vendor: createAzure, expected: ends('failed', 'MODEL_NOT_FOUND', 0) }),
  row('DeepSeek, not streamed', { api: 'chat', vendor: createDeepseek, provider: { stream: false } }),
  row('Gemini, not streamed', { api: 'chat', vendor: createGemini, provider: { stream: false } }),
  row('two messages in an answer', { script: SCRIPT.replace('say', 'aside Here it is.\nsay') }),
  row('a message before a call', { script: `aside Let me act.\n${SCRIPT}`, vendor: reasoning }),
  row('a last event without its output', { habits: { ...OPENAI_HABITS, output: 'empty' } }),
  row('no usage', { habits: { ...OPENAI_HABITS, usage: false } }),
  row('no usage, chat', { api: 'chat', habits: { ...OPENAI_HABITS, usage: false } }),
  row('no usage, and a limit of tokens', {
    habits: { ...OPENAI_HABITS, usage: false },
    more: 'limits: { tokens: 20 }',
    expected: ends('incomplete', 'BUDGET_TOKENS', 1),
  }),
  ...(['responses', 'chat', 'anthropic'] as const).flatMap((api) =>
    (
      [
        ['insufficient_quota', ends('failed', 'MODEL_QUOTA', 0)],
        ['context_length_exceeded', ends('failed', 'CONTEXT_FULL', 0)],
        ['invalid_api_key', ends('failed', 'MODEL_AUTH', 0)],
        ['model_not_found', ends('failed', 'MODEL_NOT_FOUND', 0)],
        ['content_policy_violation', ends('failed', 'MODEL_REFUSED', 0)],
        ['rate_limit_exceeded', GREEN],
        ['server_error', GREEN],
      ] as const
    ).map(([code, expected]) => row(`${code} in a stream, ${api}`, { api, script: `error-event ${code}\n${SCRIPT}`, expected })),
  ),
  row('context_length_exceeded as a failed answer', {
    script: `failed-event context_length_exceeded\n${SCRIPT}`,
    expected: ends('failed', 'CONTEXT_FULL', 0),
  }),
  row('insufficient_quota as a failed answer', {
    script: `failed-event insufficient_quota\n${SCRIPT}`,
    expected: ends('failed', 'MODEL_QUOTA', 0),
  }),
]
