import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyBundle } from '../../src/audit/evidence/bundle.ts'
import { takeCheckpoint } from '../../src/audit/evidence/checkpoint.ts'
import { exportRun } from '../../src/audit/evidence/files.ts'
import { verifyStore } from '../../src/audit/evidence/verify.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { query } from '../../src/store/postgres/db.ts'
import { someone } from '../support/actor.ts'
import { signerOf } from '../support/evidence/signer.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { serveHttp } from '../support/net/listen.ts'

const PRICES = { m: { input: 1000, cachedInput: 100, output: 1000 } }

const jobOf = (limits = '{}', attempts = 1) => `
account: reports
contract: none
model: { provider: openai, name: m }
prompt: Do it.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables], minCalls: 0 }
limits: ${limits}
retry: { attempts: ${attempts}, backoff: 1ms }
`

type Answer = (res: ServerResponse) => void

const send = (res: ServerResponse, ...chunks: object[]) => {
  if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const chunk of chunks) res.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', ...chunk })}\n\n`)
}
const piece = (delta: object, finish: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason: finish }] })
const says =
  (content: string, usage?: unknown): Answer =>
  (res) => {
    send(res, piece({ content }), piece({}, 'stop'), ...(usage === undefined ? [] : [{ choices: [], usage }]))
    res.end('data: [DONE]\n\n')
  }
const calls =
  (usage?: unknown): Answer =>
  (res) => {
    const tool = { index: 0, id: `call_${Math.random()}`, function: { name: 'labor__describe_tables', arguments: '{}' } }
    send(res, piece({ tool_calls: [tool] }), piece({}, 'tool_calls'), ...(usage === undefined ? [] : [{ choices: [], usage }]))
    res.end('data: [DONE]\n\n')
  }
/** So much of an answer, and then the connection is gone. */
const breaksAfter =
  (content: string): Answer =>
  (res) => {
    send(res, piece({ content }))
    setImmediate(() => res.socket?.resetAndDestroy())
  }
const known = { prompt_tokens: 100, completion_tokens: 10 }

/** A whole Nightshift with a provider that answers in this order; the last one for ever. */
async function open(answers: readonly Answer[], { job = jobOf(), budget = 1_000_000 } = {}) {
  await using building = new AsyncDisposableStack()
  const bytes: number[] = []
  const server = building.use(
    await serveHttp(async (req, res) => {
      const body = await json(req)
      const at = bytes.push(Buffer.byteLength(JSON.stringify(body))) - 1
      answers[Math.min(at, answers.length - 1)]?.(res)
    }),
  )
  const app = building.use(
    await buildTestApp({
      jobs: { report: job },
      config: {
        providers: { openai: { api: 'chat', baseUrl: server.url, stream: true } },
        prices: PRICES,
        budgets: { jobs: { report: { tokens: budget } } },
      },
    }),
  )
  const stack = building.move()
  return {
    app,
    bytes,
    /** Tokens that count against the ceiling of the day. */
    async today() {
      const [row] = await query<{ tokens: number }>(app.database.db, 'select tokens::int as tokens from budget_days')
      return row?.tokens ?? 0
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const warnings = (app: TestApp) => app.log.filter((line) => line.includes('gives no usage'))

test.each([
  ['none', undefined],
  ['null', null],
  ['an empty one', {}],
  ['zeros', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
  ['a negative one', { prompt_tokens: -7, completion_tokens: 3 }],
  ['words', { prompt_tokens: 'many', completion_tokens: 'few' }],
])('usage that is %s is not known: no cost, an estimate for limits and for the day, one warning', async (_, usage) => {
  await using opened = await open([calls(usage), says('x'.repeat(3000), usage)])
  const { app, bytes } = opened
  const run = await app.run('report')
  expect(run).toMatchObject({ status: 'succeeded', usage: { estimated: true, cachedTokens: 0 }, cost: { usd: null, atLeast: false } })
  expect(run.turns.map(({ usage: of, costUsd }) => ({ estimated: of.estimated, costUsd }))).toEqual([
    { estimated: true, costUsd: null },
    { estimated: true, costUsd: null },
  ])
  const input = bytes.reduce((sum, size) => sum + size, 0) / 3
  expect(run.usage.inputTokens).toBeGreaterThan(input * 0.5)
  expect(run.usage.outputTokens).toBeGreaterThan(1000)
  // What was taken for a turn stays spent: its request, and an answer of usual size.
  expect(await opened.today()).toBeGreaterThan(2 * 2048 + input * 0.5)
  expect(warnings(app)).toHaveLength(1)
  expect(warnings(app)[0]).toContain('Provider openai gives no usage: limits.tokens and limits.costUsd are kept by estimate')
  const [line] = await listRuns(app.database.db, {}, { limit: 1 })
  expect(line).toMatchObject({ costUsd: null, costAtLeast: false })
})

test('a run of which one turn is known cost at least that', async () => {
  await using opened = await open([calls(known), says('done')])
  const run = await opened.app.run('report')
  expect(run).toMatchObject({ status: 'succeeded', usage: { estimated: true }, cost: { usd: expect.closeTo(0.11), atLeast: true } })
  const [line] = await listRuns(opened.app.database.db, {}, { limit: 1 })
  expect(line).toMatchObject({ costUsd: expect.closeTo(0.11), costAtLeast: true })
})

test('what a provider says is what counts', async () => {
  await using opened = await open([calls(known), says('done', { ...known, prompt_tokens_details: { cached_tokens: 9000 } })])
  const run = await opened.app.run('report')
  // Cached tokens are no more than the input, so that no cost is negative.
  expect(run.usage).toEqual({ inputTokens: 200, cachedTokens: 100, outputTokens: 20, reasoningTokens: 0 })
  expect(run.cost).toEqual({ usd: expect.closeTo(0.11 + 0.01 + 0.01), atLeast: false })
  expect(await opened.today()).toBe(220)
  expect(warnings(opened.app)).toEqual([])
})

test.each([
  ['{ tokens: 400 }', 'BUDGET_TOKENS'],
  ['{ costUsd: 0.3 }', 'BUDGET_COST'],
])('the limit %s is kept without usage, too', async (limits, code) => {
  await using opened = await open([calls(), calls(), says('never')], { job: jobOf(limits) })
  expect(await opened.app.run('report')).toMatchObject({
    status: 'incomplete',
    reasons: expect.arrayContaining([expect.objectContaining({ code })]),
  })
})

test('a ceiling of the day ends runs of a provider that gives no usage', async () => {
  await using opened = await open([says('done')], { budget: 10_000 })
  const ends: string[] = []
  for (let n = 0; n < 6; n++) {
    const { status, failure } = await opened.app.run('report')
    ends.push(failure?.code ?? status)
  }
  expect(ends.filter((end) => end === 'succeeded').length).toBeLessThan(5)
  expect(ends.at(-1)).toBe('BUDGET_TOKENS')
})

test('an answer that broke off counts for the run and for the day, also in the attempt that comes after it', async () => {
  await using opened = await open([breaksAfter('x'.repeat(3000)), says('done', known)], { job: jobOf('{}', 2) })
  const run = await opened.app.run('report')
  const [asked = 0] = opened.bytes
  expect(run).toMatchObject({ status: 'succeeded', usage: { estimated: true }, cost: { usd: expect.closeTo(0.11), atLeast: true } })
  expect(run.usage.inputTokens).toBeGreaterThan(100 + (asked / 3) * 0.5)
  expect(run.usage.outputTokens).toBeGreaterThanOrEqual(10 + 1000)
  expect(await opened.today()).toBeGreaterThan(110 + 2048)
})

test('each answer that broke off counts against limits.tokens', async () => {
  await using opened = await open([calls(known), breaksAfter('x'.repeat(9000)), calls(known), says('never', known)], {
    job: jobOf('{ tokens: 3000 }', 2),
  })
  expect(await opened.app.run('report')).toMatchObject({
    status: 'incomplete',
    reasons: expect.arrayContaining([expect.objectContaining({ code: 'BUDGET_TOKENS' })]),
  })
})

test('a request that the client sent again counts once more, since the first one may have been worked on', async () => {
  const fails: Answer = (res) => res.writeHead(500, { 'retry-after-ms': '1' }).end()
  await using opened = await open([fails, says('done', known)])
  const run = await opened.app.run('report')
  expect(run).toMatchObject({ status: 'succeeded', cost: { usd: expect.closeTo(0.11), atLeast: true } })
  expect(run.usage.inputTokens).toBeGreaterThan(100)
  expect(await opened.today()).toBeGreaterThan(110 + 2048)
})

test('a request that was refused counts nothing, however often it was sent', async () => {
  const busy: Answer = (res) => res.writeHead(503, { 'retry-after-ms': '1' }).end()
  await using opened = await open([busy, says('done', known)])
  const run = await opened.app.run('report')
  expect(run).toMatchObject({ status: 'succeeded', usage: { inputTokens: 100, outputTokens: 10 }, cost: { atLeast: false } })
  expect(await opened.today()).toBe(110)
})

test('a run that was cancelled in an answer keeps what was seen of it', async () => {
  const answering = Promise.withResolvers<void>()
  await using opened = await open([
    (res) => {
      send(res, piece({ content: 'x'.repeat(3000) }))
      answering.resolve()
    },
  ])
  const { app } = opened
  await app.app.worker.start()
  const id = await app.queue('report')
  await answering.promise
  await cancelRun(app.database.db, id, someone())
  const run = await app.finished(id)
  expect(run).toMatchObject({ status: 'cancelled', usage: { estimated: true }, cost: { usd: null, atLeast: false } })
  expect(run.usage.inputTokens).toBeGreaterThan(0)
  expect(await opened.today()).toBeGreaterThan(2048)
})

test('a run of which nobody says what it used is proved as any other, and its evidence says so', async () => {
  await using opened = await open([calls(), says('done')])
  const { id } = await opened.app.run('report')
  const { db } = opened.app.database
  const keyFile = join(opened.app.dir, 'evidence.key')
  const signer = signerOf(keyFile)
  await query(db, "update runs set finished_at = finished_at - interval '1 hour'")
  await takeCheckpoint(db, signer)
  expect(await verifyStore(db, signer.publicKey, [])).toMatchObject({ faults: [] })
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  const { text, unproved } = await exportRun(db, run, keyFile)
  expect(unproved).toBeUndefined()
  expect(text.match(/"estimated":true/g)).toHaveLength(2)
  expect(verifyBundle(Buffer.from(text), signer.publicKey)).toMatchObject({ ok: true })
})

/** Ways in which a request ends, with what its provider charges for it: tokens. */
const ENDS: Record<string, { answer: Answer; charged: number }> = {
  known: { answer: says('done', { prompt_tokens: 3000, completion_tokens: 400 }), charged: 3400 },
  unknown: { answer: says('x'.repeat(4000)), charged: 1500 },
  broken: { answer: breaksAfter('x'.repeat(2000)), charged: 900 },
  'broken late': { answer: breaksAfter('x'.repeat(30_000)), charged: 8000 },
  fault: { answer: (res) => res.writeHead(500, { 'retry-after-ms': '1' }).end(), charged: 700 },
  busy: { answer: (res) => res.writeHead(503, { 'retry-after-ms': '1' }).end(), charged: 0 },
  denied: { answer: (res) => res.writeHead(401).end(), charged: 0 },
}

test('however requests end, the day has at least what their provider charged, and nothing where it charged nothing', async () => {
  const queue: string[] = []
  let charged = 0
  const next: Answer = (res) => {
    const end = ENDS[queue.shift() ?? 'known']
    charged += end?.charged ?? 0
    end?.answer(res)
  }
  await using opened = await open([next], { job: jobOf('{}', 3), budget: 1_000_000_000 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(ENDS)), { minLength: 1, maxLength: 6 }), async (ends) => {
      queue.splice(0, Infinity, ...ends)
      charged = 0
      const before = await opened.today()
      const run = await opened.app.run('report')
      const spent = (await opened.today()) - before
      expect(spent).toBeGreaterThanOrEqual(charged)
      if (charged === 0) expect(spent).toBe(0)
      // Each request of which nobody says what it used makes the run's usage an estimate.
      const used = run.usage.inputTokens + run.usage.outputTokens
      if (!run.usage.estimated) expect(spent).toBe(used)
      expect(spent).toBeGreaterThanOrEqual(used)
    }),
    { numRuns: 25 },
  )
})
