import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { hostedJob, rawHostedApp, type RawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

// No call escapes the record: as many rows as calls that the server had, whichever events tell of them.

const created = (io: RawExchange) => io.event('response.created', { response: io.response([], { status: 'in_progress' }) })
const begun = (n: number) => ({ ...mcpCall(n), arguments: '', status: 'in_progress', output: null })

/** How servers tell of a call with the number n at place n, which is really made in between. */
const ORDERS: Record<string, (io: RawExchange, n: number) => Promise<void>> = {
  'as the real one does': async (io, n) => {
    const at = { output_index: n, item_id: `mcp_${n}` }
    io.event('response.output_item.added', { output_index: n, item: begun(n) })
    io.event('response.mcp_call.in_progress', at)
    io.event('response.mcp_call_arguments.delta', { ...at, delta: `{"n":${n}}` })
    io.event('response.mcp_call_arguments.done', { ...at, arguments: `{"n":${n}}` })
    await io.call('act', { n })
    io.event('response.mcp_call.completed', at)
    io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
  },
  'arguments in the other spelling, before the item is announced': async (io, n) => {
    const at = { output_index: n, item_id: `mcp_${n}` }
    io.event('response.mcp_call.arguments.done', { ...at, arguments: `{"n":${n}}` })
    io.event('response.output_item.added', { output_index: n, item: begun(n) })
    io.event('response.mcp_call.in_progress', at)
    await io.call('act', { n })
    io.event('response.mcp_call.completed')
    io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
  },
  'nothing but its item, twice': async (io, n) => {
    io.event('response.output_item.added', { output_index: n, item: begun(n) })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
  },
  'its item when it is over': async (io, n) => {
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
  },
  'that it runs, and its item when it is over': async (io, n) => {
    io.event('response.mcp_call.in_progress', { output_index: n, item_id: `mcp_${n}` })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: mcpCall(n) })
  },
  'an id of its own in each event, at one place': async (io, n) => {
    io.event('response.output_item.added', { output_index: n, item: { ...begun(n), id: `a_${n}` } })
    io.event('response.mcp_call.in_progress', { output_index: n, item_id: `b_${n}` })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: { ...mcpCall(n), id: `c_${n}` } })
  },
  'no id': async (io, n) => {
    io.event('response.output_item.added', { output_index: n, item: { ...begun(n), id: undefined } })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: { ...mcpCall(n), id: undefined } })
  },
  'neither id nor place': async (io, n) => {
    io.event('response.output_item.added', { item: { ...begun(n), id: undefined } })
    await io.call('act', { n })
    io.event('response.mcp_call.completed')
    io.event('response.output_item.done', { item: { ...mcpCall(n), id: undefined } })
  },
  'the same id for each call': async (io, n) => {
    io.event('response.output_item.added', { output_index: n, item: { ...begun(n), id: 'mcp' } })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: n, item: { ...mcpCall(n), id: 'mcp' } })
  },
  'the first place for each call': async (io, n) => {
    io.event('response.output_item.added', { output_index: 0, item: begun(n) })
    await io.call('act', { n })
    io.event('response.output_item.done', { output_index: 0, item: mcpCall(n) })
  },
}

const rowsOf = async (one: RawHostedApp, id: string) =>
  (await one.testApp.ended(id)).toolCalls.map(({ tool, arguments: args, status }) => [tool, args, status])

const inOrder = (one: RawHostedApp) => one.server.effects.map(({ arguments: args }) => args)

test.each(Object.keys(ORDERS))('each call has a row when a provider tells of it: %s', async (order) => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io)
      io.event('response.output_item.done', { output_index: 0, item: listed })
      for (const n of [1, 2, 3]) await ORDERS[order]?.(io, n)
      io.event('response.completed', { response: io.response([listed, mcpCall(1), mcpCall(2), mcpCall(3), message('fine')]) })
      io.res.end()
    },
  })
  const run = await one.testApp.run('act')
  expect(inOrder(one)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  expect(await rowsOf(one, run.id)).toEqual([1, 2, 3].map((n) => ['act', { n }, 'ok']))
  expect(run).toMatchObject({ status: 'succeeded', outputText: 'fine' })
})

test.each(Object.keys(ORDERS))('a call under way has a row that says what is known when the stream is lost: %s', async (order) => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io)
      await ORDERS[order]?.(io, 1)
      const call = async () => {
        await io.call('act', { n: 2 })
        io.res.end()
        // oxlint-disable-next-line waits/bounded -- what would follow never comes
        return await new Promise<string>(() => {})
      }
      void ORDERS[order]?.({ ...io, call }, 2)
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', failure: { code: 'OUTCOME_UNKNOWN' } })
  expect(inOrder(one)).toEqual([{ n: 1 }, { n: 2 }])
  // Of a provider that tells of a call when it is over, nobody can know of one that is not.
  const isTold = order !== 'its item when it is over'
  expect(await rowsOf(one, run.id)).toEqual([
    ['act', { n: 1 }, 'ok'],
    ...(isTold ? [[expect.stringMatching(/^(act)?$/), expect.toBeOneOf([null, { n: 2 }]), 'unknown']] : []),
  ])
})

test('arguments of a call that is never made are no call, unless the stream is lost', async () => {
  const asked = (io: RawExchange) =>
    io.event('response.mcp_call.arguments.done', { output_index: 2, item_id: 'mcp_2', arguments: '{"n":2}' })
  const answer = (end: (io: RawExchange) => void) => async (io: RawExchange) => {
    created(io)
    await ORDERS['as the real one does']?.(io, 1)
    asked(io)
    end(io)
    io.res.end()
  }
  await using whole = await rawHostedApp({
    answer: answer((io) => io.event('response.completed', { response: io.response([listed, mcpCall(1), message('fine')]) })),
  })
  const run = await whole.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', outputText: 'fine' })
  expect(await rowsOf(whole, run.id)).toEqual([['act', { n: 1 }, 'ok']])
  await using lost = await rawHostedApp({ answer: answer(() => {}) })
  const cut = await lost.testApp.run('act')
  expect(await rowsOf(lost, cut.id)).toEqual([
    ['act', { n: 1 }, 'ok'],
    ['', { n: 2 }, 'unknown'],
  ])
})

test('a call that is announced and whose end is never told is unknown, and stands against green', async () => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io)
      io.event('response.output_item.added', { output_index: 1, item: begun(1) })
      await io.call('act', { n: 1 })
      io.event('response.completed', { response: io.response([listed, message('fine')]) })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    reasons: [{ code: 'OUTCOME_UNKNOWN' }],
    toolCalls: [{ tool: 'act', arguments: null, status: 'unknown' }],
  })
})

test('a call has its row when it is announced, before its arguments are known', async () => {
  const held = Promise.withResolvers<void>()
  await using one = await rawHostedApp({
    async answer(io) {
      created(io)
      io.event('response.output_item.added', { output_index: 1, item: begun(1) })
      await held.promise
      io.event('response.completed', { response: io.response([listed, mcpCall(1), message('fine')]) })
      io.res.end()
    },
  })
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  const rows = () => query(one.testApp.database.db, `select server, tool, arguments, status from tool_calls where run_id = $1`, [id])
  await expect.poll(rows).toEqual([{ server: 'counting', tool: 'act', arguments: null, status: 'sent' }])
  held.resolve()
  await one.testApp.ended(id)
  expect(await rows()).toEqual([{ server: 'counting', tool: 'act', arguments: { n: 1 }, status: 'ok' }])
})

test('a provider that announces calls without end writes a bounded number of rows', async () => {
  await using one = await rawHostedApp({
    job: hostedJob('limits: { toolCalls: 1 }'),
    answer(io, nth) {
      if (nth === 1) {
        created(io)
        for (let n = 1; n <= 3000; n++) io.event('response.output_item.added', { output_index: n, item: mcpCall(n) })
      } else io.event('response.completed', { response: io.response([message('enough')]) })
      io.res.end()
    },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'enough' })
  expect(run.reasons[0]?.code).toBe('BUDGET_TOOL_CALLS')
  expect(run.toolCalls.length).toBeLessThanOrEqual(1001)
})
