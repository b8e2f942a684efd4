// A run that its model keeps waiting, and one whose model is down: what it cost, and that both are written wherever it is shown.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportRun } from '../../src/audit/evidence/files.ts'
import { verifyBundle } from '../../src/audit/evidence/bundle.ts'
import { timelineOf } from '../../src/core/timeline.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { signerOf } from '../support/evidence/signer.ts'
import { serveHttp } from '../support/net/listen.ts'

const PRICE = { input: 1000, cachedInput: 100, output: 1000 }

const jobOf = (model: string, limits = '{ costUsd: 1000 }') => `
account: reports
contract: none
model: { ${model} }
prompt: Do it.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables], minCalls: 0 }
limits: ${limits}
retry: { attempts: 1, backoff: 1ms }
`

const call = (id: string) => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name: 'labor__describe_tables',
  arguments: '{}',
  status: 'completed',
})
const thought = (of: string) => ({ type: 'reasoning', id: `rs_${of}`, summary: [], encrypted_content: of })
const text = (words: string) => ({
  type: 'message',
  id: 'msg',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: words, annotations: [] }],
})
const answer = (model: string, output: unknown[], tier?: string) => ({
  status: 200,
  body: {
    id: 'resp',
    object: 'response',
    status: 'completed',
    model,
    output,
    usage: { input_tokens: 1000, output_tokens: 100 },
    ...(tier && { service_tier: tier }),
  },
})
const refuses = (status: number, code: string, headers: Record<string, string> = {}) => ({
  status,
  body: { error: { message: `No: ${code}`, code } },
  headers,
})
type Answer = { status: number; body: unknown; headers?: Record<string, string> }

/** A provider that answers in this order; the last one for ever. */
async function openServer(answers: readonly Answer[]) {
  const bodies: string[] = []
  const server = await serveHttp((req, res) => {
    let body = ''
    req.on('data', (chunk) => (body += String(chunk)))
    req.on('end', () => {
      const { status, body: said, headers } = answers[Math.min(bodies.push(body), answers.length) - 1] ?? { status: 500, body: {} }
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(said))
    })
  })
  return { url: server.url, bodies, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const PRICES: object = { first: PRICE, second: { ...PRICE, input: 2000 } }

async function open(
  model: string,
  servers: Record<string, readonly Answer[]>,
  { limits, prices = PRICES }: { limits?: string; prices?: object } = {},
) {
  await using building = new AsyncDisposableStack()
  const bodies: Record<string, string[]> = {}
  const providers: Record<string, object> = {}
  for (const [name, answers] of Object.entries(servers)) {
    const server = building.use(await openServer(answers))
    bodies[name] = server.bodies
    providers[name] = { api: 'responses', baseUrl: server.url, stream: false, formatWithTools: true }
  }
  const app = building.use(
    await buildTestApp({
      jobs: { report: jobOf(model, limits) },
      config: { providers, prices },
    }),
  )
  const stack = building.move()
  return { app, bodies, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const warned = (app: TestApp, words: string) => app.log.filter((line) => line.includes(words))

test('flex without room is waited for, and costs half once it has room', async () => {
  const none = refuses(429, 'resource_unavailable', { 'retry-after-ms': '1' })
  await using opened = await open('provider: a, name: first, tier: flex', {
    a: [...Array<Answer>(4).fill(none), answer('first', [text('done')], 'flex')],
  })
  const run = await opened.app.run('report')
  expect(run).toMatchObject({
    status: 'succeeded',
    models: [{ provider: 'a', model: 'first', tier: 'flex', turns: 1 }],
    // 1000 tokens in and 100 out at 1000 USD a million, and half of that.
    cost: { usd: expect.closeTo(0.55) },
  })
  expect(warned(opened.app, 'The run waits for')).toHaveLength(1)
  expect(timelineOf(run).filter(({ event }) => event === 'modelWait')).toMatchObject([
    { code: 'MODEL_NO_ROOM', times: 1, provider: 'a', model: 'first' },
  ])
  expect(JSON.parse(opened.bodies['a']?.[0] ?? '')).toMatchObject({ service_tier: 'flex' })
})

test('a tier that the provider says is another one costs what that one does', async () => {
  await using opened = await open('provider: a, name: first, tier: flex', { a: [answer('first', [text('done')], 'default')] })
  expect(await opened.app.run('report')).toMatchObject({ models: [{ tier: 'default' }], cost: { usd: expect.closeTo(1.1) } })
})

test('a rate limit whose end is named is waited for within the attempt', async () => {
  await using opened = await open('provider: a, name: first', {
    a: [...Array<Answer>(3).fill(refuses(429, 'rate_limit_exceeded', { 'retry-after-ms': '1' })), answer('first', [text('done')])],
  })
  const run = await opened.app.run('report')
  expect(run).toMatchObject({ status: 'succeeded', attempts: [{ number: 1 }] })
  expect(run.turns[0]?.waits).toMatchObject([{ code: 'MODEL_RATE_LIMITED' }])
})

test('a model that goes down gives way to the next one at a turn: nothing is called twice, the price is its own, and evidence names both', async () => {
  await using opened = await open('provider: a, name: first, fallback: [{ provider: b, name: second }]', {
    a: [answer('first', [thought('of a'), call('c1')]), refuses(503, 'server_error', { 'retry-after-ms': '1' })],
    b: [answer('second', [text('done')])],
  })
  const run = await opened.app.run('report')
  expect(run).toMatchObject({
    status: 'succeeded',
    outputText: 'done',
    toolCalls: [{ tool: 'describe_tables', status: 'ok' }],
    models: [
      { provider: 'a', model: 'first' },
      { provider: 'b', model: 'second' },
    ],
    cost: { usd: expect.closeTo(1.1 + 2.1) },
  })
  expect(run.turns[1]?.waits).toMatchObject([{ provider: 'a', model: 'first', code: 'MODEL_UNAVAILABLE', next: 'b/second' }])
  expect(warned(opened.app, 'The run goes on with the model b/second')).toHaveLength(1)
  // The second reads what was called, and not the first one's thoughts.
  const told = opened.bodies['b']?.[0] ?? ''
  expect(told).toContain('function_call_output')
  expect(told).not.toContain('of a')
  const signer = signerOf(join(opened.app.dir, 'evidence.key'))
  const { text: bundle } = await exportRun(opened.app.database.db, run, join(opened.app.dir, 'evidence.key'))
  expect(verifyBundle(Buffer.from(bundle), signer.publicKey)).toMatchObject({ ok: true })
  for (const both of ['"provider":"a"', '"provider":"b"', '"next":"b/second"']) expect(bundle).toContain(both)
})

test('two models of one provider do not read each other’s thoughts', async () => {
  await using opened = await open('provider: a, name: first, fallback: [{ provider: a, name: second }]', {
    a: [
      answer('first', [thought('of the first'), call('c1')]),
      ...Array<Answer>(3).fill(refuses(503, 'server_error', { 'retry-after-ms': '1' })),
      answer('second', [thought('of the second'), call('c2')]),
      answer('second', [text('done')]),
    ],
  })
  expect(await opened.app.run('report')).toMatchObject({ status: 'succeeded', models: [{ model: 'first' }, { model: 'second', turns: 2 }] })
  const last = opened.bodies['a']?.at(-1) ?? ''
  expect(last).toContain('of the second')
  expect(last).not.toContain('of the first')
})

test.each([
  ['first', 1.1],
  ['second', 2.1],
])('where the price of one of two models is known alone, of %s, the run cost at least that', async (priced, usd) => {
  await using opened = await open(
    'provider: a, name: first, fallback: [{ provider: b, name: second }]',
    {
      a: [answer('first', [call('c1')]), refuses(503, 'server_error', { 'retry-after-ms': '1' })],
      b: [answer('second', [text('done')])],
    },
    { limits: '{ turns: 9 }', prices: { [priced]: { ...PRICE, input: priced === 'first' ? 1000 : 2000 } } },
  )
  expect(await opened.app.run('report')).toMatchObject({ status: 'succeeded', cost: { usd: expect.closeTo(usd), atLeast: true } })
  expect(await listRuns(opened.app.database.db, {}, { limit: 1 })).toMatchObject([{ costUsd: expect.closeTo(usd), costAtLeast: true }])
})

test('a tier whose price is not known is told of once, with the field for it: limits in money are kept by another price', async () => {
  await using opened = await open('provider: a, name: first', {
    a: [answer('first', [call('c1')], 'default'), answer('first', [call('c2')], 'priority'), answer('first', [text('done')], 'priority')],
  })
  expect(await opened.app.run('report')).toMatchObject({ cost: { usd: expect.closeTo(1.1), atLeast: true } })
  expect(warned(opened.app, 'prices.first.tiers.priority')).toHaveLength(1)
})
