import { expect, test } from 'vitest'
import { hostedJob, rawHostedApp } from '../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../support/model/raw-provider.ts'

// What providers that call servers themselves were seen to answer, and what should come of the run. Each case is tried once.

interface HostedCase {
  background?: boolean
  answer: (io: RawExchange) => unknown
  other?: (io: RawExchange) => unknown
  /** `ok: text`, or the code of the failure or of the first reason against green; then the states of its calls. */
  expected: string
}

const call = (more: object = {}) => mcpCall(1, more)
const created = (io: RawExchange, fields: object = {}) =>
  io.event('response.created', { response: io.response([], { status: 'in_progress', ...fields }) })

/** An answer whose items are each announced as they are when they are over. */
const all =
  (...output: readonly Record<string, unknown>[]) =>
  (io: RawExchange) => {
    created(io)
    for (const [at, item] of output.entries()) {
      io.event('response.output_item.added', { output_index: at, item })
      io.event('response.output_item.done', { output_index: at, item })
    }
    io.event('response.completed', { response: io.response(output) })
    io.res.end()
  }

const fails =
  (error: object, ...items: readonly object[]) =>
  (io: RawExchange) => {
    created(io)
    for (const [at, item] of items.entries()) io.event('response.output_item.done', { output_index: at, item })
    io.event('error', { ...error, error })
    io.res.end()
  }

const breaks = (io: RawExchange) => {
  created(io, { status: 'queued' })
  io.res.end()
}

const failedListing = (label: string) => ({
  error: {
    message: `Error retrieving tool list from MCP server: '${label}'. Http status code: 502 (Bad Gateway)`,
    type: 'external_connector_error',
    code: 'http_error',
    param: 'tools',
  },
})
const RATE = { code: 'rate_limit_exceeded', message: 'Slow down', param: null }
const denied = { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'no such row' }] }
const question = { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 'counting', name: 'act', arguments: '{}' }

const CASES: Record<string, HostedCase> = {
  'an answer as it should be': { answer: all(listed, call(), message('fine')), expected: 'ok: fine; ok' },
  'an error of a tool that is an object': {
    answer: all(listed, call({ status: 'failed', output: null, error: denied }), message('none')),
    expected: 'NO_TOOL_RESULT; error',
  },
  'a list that failed, with an error that is a text': {
    answer: all({ ...listed, tools: [], error: 'no connection' }, message('fine')),
    expected: 'UPSTREAM_UNAVAILABLE',
  },
  'a list that failed, as HTTP 424': { answer: (io) => io.json(failedListing('counting'), 424), expected: 'UPSTREAM_UNAVAILABLE' },
  'a question for approval': { answer: all(listed, question), expected: 'APPROVAL_ASKED' },
  'an error before anything': { answer: fails(RATE), expected: 'MODEL_RATE_LIMITED' },
  'an error after the list of tools': { answer: fails(RATE, listed), expected: 'MODEL_RATE_LIMITED' },
  'an error after a call': { answer: fails(RATE, listed, call()), expected: 'MODEL_RATE_LIMITED; ok' },
  'an error while a call is under way': {
    answer: (io) => {
      created(io)
      io.event('response.output_item.added', { output_index: 1, item: call({ output: null, status: 'in_progress' }) })
      io.event('error', { ...RATE, error: RATE })
      io.res.end()
    },
    expected: 'OUTCOME_UNKNOWN; unknown',
  },
  'in the background, a stream that breaks and goes on': { background: true, answer: breaks, other: all(listed, call(), message('fine')), expected: 'ok: fine; ok' }, // prettier-ignore
  'in the background, a stream that breaks and cannot go on': {
    background: true,
    answer: breaks,
    other: (io) =>
      io.path.includes('stream=true')
        ? io.json({ error: { message: 'no stream of this response', code: 'stream_unavailable' } }, 400)
        : io.json(io.response([listed, call(), message('fine')])),
    expected: 'ok: fine; ok',
  },
}

const JOB = hostedJob('', 'counting: { allow: [act, look], repeatable: [look] }').replace('attempts: 3', 'attempts: 1')

test.each(Object.keys(CASES))('%s', async (name) => {
  const one = CASES[name]
  if (!one) throw new Error('no such case')
  const { expected, ...behaviour } = one
  await using app = await rawHostedApp({ job: JOB, ...behaviour })
  const run = await app.testApp.run('act')
  const came = run.failure?.code ?? run.reasons[0]?.code ?? `ok: ${run.outputText}`
  expect([came, ...run.toolCalls.map(({ status }) => status)].join('; ')).toBe(expected)
})
