import { once } from 'node:events'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { loadRun } from '../../../../src/store/runs/show.ts'
import { someone } from '../../../support/actor.ts'
import { hostedJob, rawHostedApp, type RawHostedApp } from '../../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../../support/model/raw-provider.ts'

// A stop is a stop: what the provider did until then is in the record, and nothing is asked of it after.

const created = (io: RawExchange, fields: object = {}) =>
  io.event('response.created', { response: io.response([], { status: 'in_progress', ...fields }) })
const announce = (io: RawExchange, n: number) =>
  io.event('response.output_item.added', { output_index: n, item: { ...mcpCall(n), arguments: '', status: 'in_progress', output: null } })

async function act(io: RawExchange, n: number): Promise<void> {
  announce(io, n)
  await io.call('act', { n })
  io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
}

/** The last answer of the model, when it is asked for one. */
const last = (io: RawExchange) => {
  io.event('response.completed', { response: io.response([message('so far')]) })
  io.res.end()
}

const numbers = (one: RawHostedApp) => one.server.effects.map(({ arguments: { n } }) => n)
const argumentsSchema = z.object({ n: z.number() }).nullable()
const rows = (run: Awaited<ReturnType<RawHostedApp['testApp']['run']>>) =>
  run.toolCalls.map(({ arguments: args, status }) => [argumentsSchema.parse(args)?.n ?? null, status])

const TWO = hostedJob('limits: { toolCalls: 2 }')

test('a provider is told how many calls it may make, and one that refuses to be told is asked without, once', async () => {
  await using one = await rawHostedApp({
    job: TWO,
    async answer(io) {
      if (io.body.max_tool_calls !== undefined)
        return io.json({ error: { message: "Unknown parameter: 'max_tool_calls'.", param: 'max_tool_calls' } }, 400)
      created(io)
      await act(io, 1)
      io.event('response.completed', { response: io.response([listed, mcpCall(1), message('fine')]) })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded' })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded' })
  expect(one.provider.asked.map((body) => body.max_tool_calls)).toEqual([2, undefined, undefined])
  expect(one.testApp.log.filter((line) => line.includes('does not take max_tool_calls'))).toHaveLength(1)
})

test('a provider that ignores the limit is stopped at the first call over it, and the reason says how many it began', async () => {
  await using one = await rawHostedApp({
    job: TWO,
    async answer(io, nth) {
      if (nth > 1) return last(io)
      created(io)
      await act(io, 1)
      await act(io, 2)
      // Two at once, which are made whatever becomes of the stream.
      for (const n of [3, 4]) announce(io, n)
      await Promise.all([io.call('act', { n: 3 }), io.call('act', { n: 4 })])
      await once(io.res, 'close')
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({
    status: 'incomplete',
    outputText: 'so far',
    turns: [{ stopReason: 'stopped', responseId: 'resp_1', providerRequestId: 'req_1' }, { number: 2 }],
  })
  expect(run.reasons[0]).toEqual({ code: 'BUDGET_TOOL_CALLS', message: 'All 2 tool calls were used. The provider began 4.' })
  expect(numbers(one)).toHaveLength(4)
  expect(rows(run)).toEqual([
    [1, 'ok'],
    [2, 'ok'],
    [null, 'unknown'],
    [null, 'unknown'],
  ])
})

test('a limit that the provider keeps by breaking off is no lost answer, and the call that it did not make is none', async () => {
  await using one = await rawHostedApp({
    job: TWO,
    async answer(io, nth) {
      if (nth > 1) return last(io)
      created(io)
      await act(io, 1)
      await act(io, 2)
      announce(io, 3)
      io.raw('event: error\ndata: {"error":{"message":"Exceeded max_tool_calls limit"}}')
      io.res.end()
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'so far', attempts: [{ status: 'incomplete' }] })
  expect(run.reasons).toEqual([{ code: 'BUDGET_TOOL_CALLS', message: 'All 2 tool calls were used.' }])
  expect(numbers(one)).toEqual([1, 2])
  expect(rows(run)).toEqual([
    [1, 'ok'],
    [2, 'ok'],
    [null, 'not_run'],
  ])
})

test('an answer with as many calls as a provider may make is not green, since it does not say whether it wanted more', async () => {
  await using one = await rawHostedApp({
    job: TWO,
    async answer(io) {
      created(io)
      await act(io, 1)
      await act(io, 2)
      io.event('response.completed', { response: io.response([listed, mcpCall(1), mcpCall(2), message('fine')]) })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    outputText: 'fine',
    reasons: [{ code: 'BUDGET_TOOL_CALLS', message: expect.stringContaining('does not say') }],
  })
  expect(one.provider.asked).toHaveLength(1)
})

test('a whole answer with more calls than are allowed is not green, and has all of them', async () => {
  await using one = await rawHostedApp({
    job: TWO,
    async answer(io) {
      for (const n of [1, 2, 3]) await io.call('act', { n })
      io.json(io.response([listed, mcpCall(1), mcpCall(2), mcpCall(3), message('fine')]))
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', reasons: [{ code: 'BUDGET_TOOL_CALLS' }] })
  expect(rows(run)).toEqual([1, 2, 3].map((n) => [n, 'ok']))
})

test.each([false, true])('a cancelled run has each call that its provider told of until then (background: %s)', async (background) => {
  const going = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  await using one = await rawHostedApp({
    background,
    async answer(io) {
      created(io, { background })
      await act(io, 1)
      announce(io, 2)
      // It goes on after its reader has gone.
      io.res.once('close', () => void io.call('act', { n: 3 }).then(() => over.resolve()))
      await io.call('act', { n: 2 })
      going.resolve()
    },
    other: (io) =>
      io.json(io.response([listed, mcpCall(1), mcpCall(2), mcpCall(3, { output: null })], { status: 'cancelled', background })),
  })
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await going.promise
  await expect
    .poll(async () => rows(await shown(one, id)))
    .toEqual([
      [1, 'ok'],
      [null, 'sent'],
    ])
  await cancelRun(one.testApp.database.db, id, someone())
  const run = await one.testApp.ended(id)
  await over.promise
  expect(run).toMatchObject({ status: 'cancelled' })
  // In the background the provider says what it did; else only what it told of until then can be known.
  expect(rows(run)).toEqual(
    background
      ? [
          [1, 'ok'],
          [2, 'ok'],
          [3, 'unknown'],
        ]
      : [
          [1, 'ok'],
          [null, 'unknown'],
        ],
  )
  expect(one.provider.others).toEqual(background ? ['POST /responses/resp_1/cancel'] : [])
  if (background) expect(run.usage).toMatchObject({ inputTokens: 10, outputTokens: 5 })
})

const shown = async (one: RawHostedApp, id: string) => {
  const run = await loadRun(one.testApp.database.db, id)
  if (!run) throw new Error('there is no such run')
  return run
}
