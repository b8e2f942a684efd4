// What a hosted answer used, as far as it is known: what its provider says, else an estimate by what was seen of it.
import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { hostedJob, rawHostedApp, type RawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

const CONFIG = { budgets: { jobs: { act: { tokens: 1_000_000 } } }, prices: { scripted: { input: 1000, cachedInput: 100, output: 1000 } } }
const oneCall = hostedJob('limits: { toolCalls: 1 }\n')
const created = (io: RawExchange, fields: object = {}) =>
  io.event('response.created', { response: io.response([], { status: 'in_progress', ...fields }) })
const completed = (io: RawExchange, fields: object = {}) => {
  io.event('response.completed', { response: io.response([listed, mcpCall(1), message('fine')], fields) })
  io.res.end()
}
const called = (io: RawExchange, n: number, output = 'done') =>
  io.event('response.output_item.done', { output_index: n, item: mcpCall(n, { output }) })
const says = (io: RawExchange, delta: string) => io.event('response.output_text.delta', { output_index: 9, delta })

async function today({ testApp }: RawHostedApp): Promise<number> {
  const [row] = await query<{ tokens: number }>(testApp.database.db, 'select tokens::int as tokens from budget_days')
  return row?.tokens ?? 0
}

test('what the provider says is what counts', async () => {
  await using one = await rawHostedApp({ config: CONFIG, answer: (io) => (created(io), completed(io)) })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', cost: { usd: expect.closeTo(0.015), atLeast: false } })
  expect(run.usage).toEqual({ inputTokens: 10, cachedTokens: 0, outputTokens: 5, reasoningTokens: 0 })
  expect(await today(one)).toBe(15)
})

test.each([
  ['no usage', undefined],
  ['none that can be', { input_tokens: -1, output_tokens: 'x' }],
])('an answer with %s is estimated by the request, its calls and its words', async (_, usage) => {
  await using one = await rawHostedApp({
    config: CONFIG,
    answer: (io) => (created(io), says(io, 'x'.repeat(3000)), completed(io, { usage })),
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', usage: { estimated: true }, cost: { usd: null, atLeast: false } })
  expect(run.usage.inputTokens).toBeGreaterThan(0)
  expect(run.usage.outputTokens).toBeGreaterThanOrEqual(1000)
  expect(await today(one)).toBeGreaterThan(2048)
  expect(one.testApp.log.filter((line) => line.includes('gives no usage'))).toHaveLength(1)
})

test('an answer that a limit stopped counts what was seen of it, results of its calls included', async () => {
  await using one = await rawHostedApp({
    config: CONFIG,
    job: oneCall,
    answer: (io, nth) => {
      if (nth > 1) return completed(io)
      created(io)
      called(io, 1, 'y'.repeat(60_000))
      called(io, 2)
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', usage: { estimated: true }, cost: { usd: expect.any(Number), atLeast: true } })
  expect(run.usage.inputTokens).toBeGreaterThan(20_000)
  expect(await today(one)).toBeGreaterThan(20_000)
})

test('an answer in the background that a limit stopped used what its provider says when it is ended', async () => {
  await using one = await rawHostedApp({
    config: CONFIG,
    background: true,
    job: oneCall,
    answer: (io, nth) => {
      if (nth > 1) return completed(io)
      created(io, { background: true })
      called(io, 1)
      called(io, 2)
    },
    other: (io) => io.json(io.response([], { status: 'cancelled', usage: { input_tokens: 5000, output_tokens: 70 } })),
  })
  const run = await one.testApp.run('act')
  expect(one.provider.others).toEqual(['POST /responses/resp_1/cancel'])
  expect(run.turns[0]).toMatchObject({
    stopReason: 'stopped',
    usage: { inputTokens: 5000, outputTokens: 70 },
    costUsd: expect.closeTo(5.07),
  })
  expect(run.usage.estimated).toBeUndefined()
  expect(await today(one)).toBe(5070 + 15)
})

test('an answer that broke off counts what was seen of it, and one that was refused nothing', async () => {
  await using one = await rawHostedApp({
    config: CONFIG,
    answer: (io) => {
      created(io)
      says(io, 'x'.repeat(9000))
      io.res.end()
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', usage: { estimated: true }, cost: { usd: null } })
  expect(run.usage.outputTokens).toBeGreaterThanOrEqual(3000)
  expect(await today(one)).toBeGreaterThan(3000)
  await using refused = await rawHostedApp({ config: CONFIG, answer: (io) => io.json({ error: { message: 'no' } }, 401) })
  expect((await refused.testApp.run('act')).usage).toEqual({ inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 })
  expect(await today(refused)).toBe(0)
})
