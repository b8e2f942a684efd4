import { OGX_HABITS, OPENAI_HABITS, SMG_HABITS, type Habits } from '../../src/demo/model/vendors/habits.ts'
import { actsOf, cancelInFirstCall, ends, heldUntilEnd, TOTAL_OUTPUT } from './pieces.ts'
import type { Expected, ProviderRow } from './row.ts'

/** A call that has an effect, one that has none, and an answer. */
const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 $2'
const GREEN: Expected = { status: 'succeeded', code: null, made: 2 }

const row = (name: string, habits: Partial<Habits> = {}, of: Partial<ProviderRow> = {}): ProviderRow => ({
  name,
  delegate: 'hosted',
  api: 'responses',
  habits: { ...OPENAI_HABITS, ...habits },
  script: SCRIPT,
  expected: GREEN,
  ...of,
})

const ACTS = actsOf('counting__act')
const overLimit = (made: number, of: Partial<ProviderRow> = {}): Partial<ProviderRow> => ({
  script: `${ACTS}\nsay enough`,
  more: 'limits: { toolCalls: 2 }',
  expected: ends('incomplete', 'BUDGET_TOOL_CALLS', made),
  ...of,
})

const cancelled: Pick<ProviderRow, 'play' | 'script'> = { script: `${ACTS}\nsay enough`, play: cancelInFirstCall }

const OGX = { ...OGX_HABITS }
const RUNAWAY: Partial<Habits> = { goesOn: true, mostCalls: 'ignored' }
const token = { mcpToken: 'authorization' }

export const hostedRows: ProviderRow[] = [
  row('OpenAI’s order'),
  row('OpenAI’s order, in the background', {}, { provider: { background: true } }),
  row('OGX’s order', OGX, { provider: token }),
  row('OGX, in the background: polled', OGX, { provider: { ...token, background: true } }),
  row('SMG’s order', SMG_HABITS),
  row('SMG, background ignored', SMG_HABITS, { provider: { background: true } }),
  row('arguments before the call is announced', { order: 'arguments-first' }),
  row('a prefix before the names of tools', { prefix: 'mcp__counting__' }),
  row('a last event without its output', { output: 'empty' }),
  row('no usage', { usage: false }),
  row('two messages in an answer', {}, { script: SCRIPT.replace('say', 'aside Here it is.\nsay') }),
  row('a message before a call', {}, { script: `aside Let me act.\n${SCRIPT}` }),
  ...(
    [
      ['insufficient_quota', ends('failed', 'MODEL_QUOTA', 0)],
      ['context_length_exceeded', ends('failed', 'CONTEXT_FULL', 0)],
      ['rate_limit_exceeded', GREEN],
    ] as const
  ).flatMap(([code, expected]) => [
    row(`${code} in a stream, before any call`, {}, { script: `error-event ${code}\n${SCRIPT}`, expected }),
    row(`${code} as a failed answer, before any call`, {}, { script: `failed-event ${code}\n${SCRIPT}`, expected }),
  ]),
  row(
    'rate_limit_exceeded in a stream, after a call',
    {},
    {
      script: SCRIPT.replace('call counting__look {}', 'error-event rate_limit_exceeded'),
      expected: ends('failed', 'MODEL_RATE_LIMITED', 1),
    },
  ),
  row('max_tool_calls kept', {}, overLimit(2)),
  row('max_tool_calls kept, OGX', OGX, overLimit(2, { provider: token })),
  row('max_tool_calls breaks the answer off', SMG_HABITS, overLimit(2)),
  row('max_tool_calls ignored, and it goes on', RUNAWAY, overLimit(5)),
  row('goes on after a cancel', { goesOn: true }, { ...cancelled, expected: ends('cancelled', 'CANCELLED', 5) }),
  row('goes on after a cancel, no usage', { goesOn: true, usage: false }, { ...cancelled, expected: ends('cancelled', 'CANCELLED', 5) }),
  row('in the background, cancelled', {}, { ...cancelled, provider: { background: true }, expected: ends('cancelled', 'CANCELLED', 1) }),
  ...[
    row('Anthropic’s connector'),
    row('Anthropic, a break between two calls', {}, { script: SCRIPT.replace('\n', '\npause\n') }),
    row('Anthropic, with a schema', {}, { script: SCRIPT.replace('$1 $2', '{"total": 2}'), more: TOTAL_OUTPUT }),
    row('Anthropic, more calls than the job allows', {}, overLimit(3, { play: heldUntilEnd(3) })),
    row('Anthropic, cancelled', {}, { ...cancelled, expected: ends('cancelled', 'CANCELLED', 1) }),
    row(
      'Anthropic, a server that is not looked at',
      {},
      { script: `ignore counting\nsay done`, expected: ends('failed', 'MODEL_IGNORED_TOOLS', 0) },
    ),
    row(
      'Anthropic, the stream breaks off after a call',
      {},
      { script: SCRIPT.replace('\n', '\ncut\n'), expected: ends('failed', 'OUTCOME_UNKNOWN', 1) },
    ),
    row('Anthropic, overloaded before any call', {}, { script: `fail 529\n${SCRIPT}` }),
    row(
      'Anthropic, overloaded in the midst',
      {},
      { script: SCRIPT.replace('\n', '\nerror-event server_error\n'), expected: ends('failed', 'MODEL_UNAVAILABLE', 1) },
    ),
  ].map((one): ProviderRow => ({ ...one, api: 'anthropic' })),
  row('max_tool_calls unknown', { mostCalls: 'unknown-field' }, { expected: GREEN }),
]
