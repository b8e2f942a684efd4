import { gzipSync } from 'node:zlib'
import { EVENTS, JSON_TYPE, pour, repeated, type Attack, type Serving } from './attack.ts'

// Models, and providers of models, that mean harm.

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

/** A provider that streams these pieces. */
const streaming =
  (pieces: () => Iterable<string | Uint8Array>): Serving =>
  (_, res) => {
    res.writeHead(200, EVENTS)
    return pour(res, pieces())
  }
const packed =
  (type: Record<string, string>, piece: string): Serving =>
  (_, res) => {
    res.writeHead(200, { ...type, 'content-encoding': 'gzip' })
    return pour(res, repeated(gzipSync(piece.repeat(Math.ceil(64_000_000 / piece.length))), 64))
  }
const OBJECT = 'output: { schema: { type: object } }\n'

const answers: Attack[] = [
  {
    name: 'an answer that is a fence and 10,000 blank lines',
    says: `\`\`\`json${'\n'.repeat(10_000)}x`,
    call: false,
    job: OBJECT,
    expected: 'incomplete OUTPUT_INVALID',
  },
  {
    name: 'an answer that is 200,000 fences',
    says: '```\n'.repeat(200_000),
    call: false,
    job: OBJECT,
    expected: 'incomplete OUTPUT_INVALID',
  },
  {
    name: 'an answer of 100,000 open brackets',
    says: '[{"a":'.repeat(50_000),
    call: false,
    job: OBJECT,
    expected: 'incomplete OUTPUT_INVALID',
  },
]

const providers: Attack[] = [
  {
    name: '4 GB of white space in 4 MB of gzip of the model',
    model: packed(JSON_TYPE, ' '),
    expected: 'failed RESULT_TOO_LARGE',
  },
  {
    name: '4 GB of events in some MB of gzip of the model',
    model: packed(EVENTS, chunk({ content: 'x'.repeat(1000) })),
    expected: 'failed RESULT_TOO_LARGE',
  },
  {
    name: 'a stream of the model without an end',
    model: streaming(function* () {
      yield chunk({ role: 'assistant' })
      yield* repeated(chunk({ content: 'x'.repeat(10_000) }), 1e6)
    }),
    expected: 'failed RESULT_TOO_LARGE',
  },
  {
    name: 'arguments of a call without an end',
    model: streaming(function* () {
      yield chunk({ role: 'assistant', tool_calls: [{ index: 0, id: 'k', type: 'function', function: { name: 'x', arguments: '' } }] })
      yield* repeated(chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":'.repeat(2000) } }] }), 1e6)
    }),
    expected: 'failed RESULT_TOO_LARGE',
  },
  {
    name: 'one event of the model without an end',
    model: streaming(() => repeated('data: '.padEnd(65_536, 'x'), 1e6)),
    expected: 'failed RESULT_TOO_LARGE',
  },
  {
    name: 'half a character in an answer',
    model: streaming(() => [
      chunk({ role: 'assistant', content: '' }),
      String.raw`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"caf\ud83d and \udc00"},"finish_reason":null}]}` +
        '\n\n',
      chunk({}, 'stop'),
      'data: [DONE]\n\n',
    ]),
    expected: 'succeeded',
  },
]

export const modelAttacks: readonly Attack[] = [...answers, ...providers]

/** Says a text as a provider does. */
export const saying = (text: string): Serving =>
  streaming(() => [chunk({ role: 'assistant', content: text }), chunk({}, 'stop'), 'data: [DONE]\n\n'])
