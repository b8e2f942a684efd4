import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startDemoModel, type DemoModel, type ValidateWire } from '../../../src/demo/model/model.ts'
import { script } from '../../../src/demo/model/script.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { ModelRequest, ModelTurn } from '../../../src/models/model.ts'
import { createProvider } from '../../../src/models/openai/provider.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { validateWire } from '../../support/model/openai-schema.ts'

const CALLS = 'call labor__query {"sql": "select 1"} & everything__echo {"message": "hi"}'
const LONG = 'Unemployment fell in most industries. '.repeat(10).trim()

/** Every verb of the script language, with what our provider makes of it in both APIs, streaming and not. */
const VERBS: { name: string; script: string; read: string }[] = [
  { name: 'calls', script: CALLS, read: 'end: labor__query {"sql": "select 1"} & everything__echo {"message": "hi"}' },
  { name: 'calls without arguments', script: 'call labor__describe_tables', read: 'end: labor__describe_tables {}' },
  { name: 'says', script: `say ${LONG}`, read: `end: ${LONG}` },
  { name: 'says nothing', script: 'say', read: 'end: ' },
  { name: 'refuses', script: 'refuse I will not do that', read: 'end: refusal I will not do that' },
  { name: 'is cut off', script: 'truncate {"summary":', read: 'cut: {"summary":' },
  { name: 'is filtered', script: 'filter', read: 'filtered: ' },
  { name: 'waits', script: 'wait 1\nsay done', read: 'end: done' },
  { name: 'fails once', script: 'fail 500 server_error retry-after=0\nsay done', read: 'end: done' },
  { name: 'fails', script: 'always fail 500 server_error retry-after=0', read: 'MODEL_UNAVAILABLE later after 0 ms' },
  { name: 'has a wrong key', script: 'fail 401 invalid_api_key', read: 'MODEL_AUTH never' },
  { name: 'may not be asked', script: 'fail 403 permission_denied', read: 'MODEL_AUTH never' },
  { name: 'is asked wrongly', script: 'fail 400 invalid_request_error', read: 'MODEL_REJECTED never' },
  { name: 'is limited', script: 'always fail 429 rate_limit retry-after=0', read: 'MODEL_RATE_LIMITED later after 0 ms' },
  { name: 'is used up', script: 'always fail 429 insufficient_quota retry-after=0', read: 'MODEL_QUOTA never after 0 ms' },
  { name: 'breaks off', script: 'cut', read: 'MODEL_UNAVAILABLE later' },
  { name: 'falls silent', script: 'silent', read: 'MODEL_UNAVAILABLE later' },
  { name: 'talks garbage', script: 'garbage', read: 'MODEL_UNAVAILABLE later' },
]

const scripts = Object.fromEntries(VERBS.map((verb) => [verb.name, script(verb.script)]))

let model: DemoModel

beforeAll(async () => {
  model = await startDemoModel({ scripts, apiKey: 'key', validate: validateWire })
})

afterAll(() => model[Symbol.asyncDispose]())

/** A prompt of its own for each conversation: faults come once in each. */
let conversations = 0
const prompt = () => `Conversation ${++conversations}`

const post = (path: string, body: unknown) =>
  fetch(`${model.url}/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('on the wire of the Responses API', () => {
  const answered = VERBS.filter(({ read }) => /^(end|cut|filtered):/.test(read))

  test.for(answered)('what the model says when it $name is valid', async ({ name, script: text }) => {
    const input = [{ role: 'user', content: prompt() }]
    // The first answer of this one is a fault; it is valid from the next on.
    if (text.startsWith('fail')) await post('responses', { model: name, input })
    const response = await post('responses', { model: name, input })
    expect(response.status).toBe(200)
    validateWire('Response', await response.json())
  })

  test.for(answered)('the events of what the model says when it $name are valid and whole', async ({ name, script: text }) => {
    const input = [{ role: 'user', content: prompt() }]
    if (text.startsWith('fail')) await post('responses', { model: name, input })
    const response = await post('responses', { model: name, input, stream: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const events = readEvents(await response.text())
    for (const event of events) validateWire('ResponseStreamEvent', event)
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index))
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
    const { type, response: last } = events.at(-1) ?? {}
    validateWire('Response', last)
    expect(type).toBe(`response.${last?.status}`)
    const items = events.filter((event) => event.type === 'response.output_item.done').map(({ item }) => item)
    expect(items).toEqual(last?.output)
    expect(pieced(events)).toEqual(
      events.flatMap((event) => (DONE.test(event.type) ? [event.text ?? event.arguments ?? event.refusal] : [])),
    )
  })

  test('an error is answered as the provider does', async () => {
    const response = await post('responses', { model: 'is limited', input: [{ role: 'user', content: prompt() }] })
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('0')
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
    expect(await response.json()).toEqual({ error: { message: expect.any(String), type: 'requests', param: null, code: 'rate_limit' } })
  })

  test.for<{ what: string; body: unknown }>([
    { what: 'a role that does not exist', body: { model: 'says', input: [{ role: 'tool', content: 'x' }] } },
    { what: 'a tool without parameters', body: { model: 'says', input: 'x', tools: [{ type: 'function', name: 'f', strict: false }] } },
    { what: 'a format without a name', body: { model: 'says', input: 'x', text: { format: { type: 'json_schema', schema: {} } } } },
  ])('a request with $what is refused', async ({ body }) => {
    const response = await post('responses', body)
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain('This is no CreateResponse')
  })
})

const eventSchema = z.looseObject({
  type: z.string(),
  sequence_number: z.number(),
  delta: z.string().optional(),
  text: z.string().optional(),
  arguments: z.string().optional(),
  refusal: z.string().optional(),
  item_id: z.string().optional(),
  item: z.unknown().optional(),
  response: z.looseObject({ status: z.string(), output: z.array(z.unknown()) }).optional(),
})
type WireEvent = z.output<typeof eventSchema>

const DONE = /^response\.(output_text|refusal|function_call_arguments)\.done$/

/** Reads an event stream strictly: a name, a line of data, an empty line. */
function readEvents(text: string): WireEvent[] {
  expect(text.endsWith('\n\n')).toBe(true)
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((block) => {
      const [, name, data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? []
      const event = eventSchema.parse(JSON.parse(data))
      expect(event.type).toBe(name)
      return event
    })
}

/** The texts of a stream, put together from their pieces, by item. */
function pieced(events: WireEvent[]): string[] {
  const texts = new Map<string, string>()
  for (const { type, item_id: id = '', delta } of events) {
    if (DONE.test(type)) texts.set(id, texts.get(id) ?? '')
    if (delta !== undefined) texts.set(id, (texts.get(id) ?? '') + delta)
  }
  return [...texts.values()]
}

const APIS = (['responses', 'chat'] as const).flatMap((api) => [
  { api, stream: false, way: `the ${api} API` },
  { api, stream: true, way: `the ${api} API, streaming` },
])

const TOOLS = [
  { name: 'labor__query', description: 'Runs a query.', parameters: { type: 'object', properties: { sql: { type: 'string' } } } },
]

const OUTPUT = { name: 'report', strict: false, schema: { type: 'object', properties: { summary: { type: 'string' } } } }

describe.for(APIS)('our provider over $way', ({ api, stream }) => {
  const respond = async (name: string, request: Partial<ModelRequest>): Promise<ModelTurn> => {
    const options = {
      name: 'demo',
      api,
      stream,
      baseUrl: model.url,
      apiKey: () => 'key',
      store: false,
      labels: false,
      background: false,
      mcpToken: 'headers' as const,
      runHeader: true,
      timeoutMs: 10_000,
      maxResponseBytes: 1_048_576,
      formatWithTools: true,
      redact: (text: string) => text,
    }
    const provider = createProvider(options)
    try {
      const whole = { instructions: undefined, prompt: prompt(), exchanges: [], tools: TOOLS, mayCall: true, output: undefined, ...request }
      return await provider.model(name).respond(whole, new AbortController().signal)
    } finally {
      await provider.close()
    }
  }

  test.for(VERBS)('reads a model that $name', async ({ name, read }) => {
    expect(await respond(name, {}).then(showTurn, showFailure)).toBe(read)
  })

  test.for([
    { name: 'says', what: 'is not JSON', read: `end: ${LONG}` },
    { name: 'is cut off', what: 'is cut off', read: 'cut: {"summary":' },
    { name: 'is filtered', what: 'is filtered', read: 'filtered: ' },
    { name: 'refuses', what: 'is a refusal', read: 'end: refusal I will not do that' },
    { name: 'calls', what: 'is calls', read: 'end: labor__query {"sql": "select 1"} & everything__echo {"message": "hi"}' },
  ])('reads an answer that should match a schema and $what', async ({ name, read }) => {
    expect(await respond(name, { output: OUTPUT }).then(showTurn, showFailure)).toBe(read)
  })

  test('reads who answered and what it used', async () => {
    const turn = await respond('says', {})
    expect(turn).toMatchObject({
      model: 'says',
      responseId: expect.stringMatching(/^(resp_|chatcmpl-)/),
      providerRequestId: expect.stringMatching(/^req_/),
    })
    expect(turn.usage?.inputTokens).toBeGreaterThan(0)
    expect(turn.usage?.outputTokens).toBeGreaterThan(0)
  })

  test('sends a whole conversation that the published schema knows', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Look first.' }], encrypted_content: 'gAAA' }
    const call = (callId: string) => ({ type: 'tool_call' as const, callId, name: 'labor__query', arguments: '{"sql":"select 1"}' })
    const turn = await respond('says', {
      instructions: 'Be short.',
      output: OUTPUT,
      mayCall: false,
      exchanges: [
        {
          items: [{ type: 'reasoning', raw: reasoning }, { type: 'message', text: 'I look.' }, call('call_1'), call('call_2')],
          results: [
            { callId: 'call_1', text: '1' },
            { callId: 'call_2', text: '' },
          ],
        },
        { items: [{ type: 'message', text: 'no JSON' }], results: [], reply: 'Answer again.' },
        { items: [{ type: 'refusal', text: 'I would rather not.' }], results: [], reply: 'Please.' },
        { items: [], results: [], reply: 'Are you there?' },
      ],
    })
    expect(showTurn(turn)).toBe(`end: ${LONG}`)
  })
})

describe('a local run', () => {
  const job = (extra: string) => `
account: reports
model: { provider: openai, name: scripted }
instructions: Be short.
prompt: Say what is in the table.
tools:
  labor: { allow: [describe_tables, query], repeatable: [describe_tables, query] }
retry: { backoff: 1ms }
${extra}`

  test.for([
    {
      what: 'calls tools, makes mistakes and mends its answer',
      extra: 'output: { schema: { type: object, required: [rows], properties: { rows: { type: string } } } }',
      says: 'call labor__describe_tables {} & labor__query {"sql": "select 1"}\ncall labor__query nonsense & no__tool {}\nsay no JSON\nsay {"rows": "1708"}',
      status: 'succeeded',
      requests: 4,
    },
    {
      what: 'must answer in its last turn',
      extra: 'limits: { turns: 1 }',
      says: 'call labor__describe_tables {}\ncall labor__describe_tables {}\nsay done',
      status: 'incomplete',
      requests: 2,
    },
    { what: 'goes on after a fault', extra: '', says: 'cut\ncall labor__describe_tables\nsay done', status: 'succeeded', requests: 3 },
  ])('that $what sends only requests that the published schema knows', async ({ extra, says, status, requests }) => {
    const faults: string[] = []
    const seen: string[] = []
    const validate: ValidateWire = (schema, value) => {
      seen.push(schema)
      try {
        validateWire(schema, value)
      } catch (error) {
        faults.push(String(error))
        throw error
      }
    }
    await using testApp = await buildTestApp({ validate, jobs: { report: job(extra) }, scripts: { scripted: says } })
    const run = await testApp.run('report')
    expect(faults).toEqual([])
    expect(run.status).toBe(status)
    expect(seen.filter((schema) => schema === 'CreateResponse')).toHaveLength(requests)
  })
})

function showTurn({ items, stopReason }: ModelTurn): string {
  const said = items.flatMap((item) => {
    if (item.type === 'tool_call') return [`${item.name} ${item.arguments}`]
    // What says nothing is kept for the model alone.
    return item.type === 'refusal' ? [`refusal ${item.text}`] : item.type === 'message' ? [item.text] : []
  })
  return `${stopReason}: ${said.join(' & ')}`
}

function showFailure(error: unknown): string {
  if (!(error instanceof Failure)) throw error
  return `${error.code} ${error.retry}${error.retryAfterMs === undefined ? '' : ` after ${error.retryAfterMs} ms`}`
}
