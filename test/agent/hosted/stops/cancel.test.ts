import { expect, test } from 'vitest'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { someone } from '../../../support/actor.ts'
import { idWritten, rawHostedApp, responseRows, type RawHostedApp } from '../../../support/app/hosted.ts'
import { until } from '../../../support/until.ts'
import { loadRun } from '../../../../src/store/runs/show.ts'
import { listed, mcpCall, message, type RawExchange } from '../../../support/model/raw-provider.ts'

/** Cancels the run when its first call is made. */
async function cancelledRun(one: RawHostedApp) {
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await idWritten(one)
  await until(async () => (await loadRun(one.testApp.database.db, id))?.toolCalls[0])
  await cancelRun(one.testApp.database.db, id, someone())
  return one.testApp.ended(id)
}

const underWay = (io: RawExchange, status: string) => io.response([listed, mcpCall(1)], { status, background: true })
const whole = (io: RawExchange) => io.response([listed, mcpCall(1), mcpCall(2), message('fine')], { background: true })

test.each<[string, (io: RawExchange) => unknown]>([
  ['409', (io) => io.json({ error: { message: 'Cannot cancel a completed response.' } }, 409)],
  ['404', (io) => io.json({ error: { message: 'not found' } }, 404)],
  ['a page', (io) => io.res.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')],
  ['nothing', (io) => io.res.destroy()],
  ['an answer that is whole', (io) => io.json(whole(io))],
  ['an answer under way', (io) => io.json(underWay(io, 'in_progress'))],
])('each call of an answer has a row where its provider answers a cancel with %s', async (_, cancel) => {
  await using one = await rawHostedApp({
    background: true,
    async answer(io) {
      io.event('response.created', { response: io.response([], { status: 'in_progress', background: true }) })
      await io.call('act', { n: 1 })
      io.event('response.output_item.done', { output_index: 1, item: mcpCall(1) })
    },
    async other(io) {
      if (io.path !== '/responses/resp_1/cancel') return io.json(whole(io))
      await io.call('act', { n: 2 })
      cancel(io)
    },
  })
  expect(await cancelledRun(one)).toMatchObject({
    status: 'cancelled',
    toolCalls: [{ status: 'ok' }, { status: 'ok', arguments: { n: 2 } }],
  })
  expect(one.server.effects).toHaveLength(2)
})

test.each(['created', 'queued', 'in_progress'])(
  'an answer keeps the id that it was found by, also where response.%s says it first',
  async (first) => {
    let looked = 0
    await using one = await rawHostedApp({
      background: true,
      async answer(io) {
        io.event(`response.${first}`, { response: io.response([], { status: 'in_progress', background: true }) })
        await io.call('act', { n: 1 })
        io.res.end()
      },
      other(io) {
        looked++
        // A stream that breaks off, twice, and says another id and that there was no background mode.
        if (looked < 3) {
          io.event('response.created', { response: io.response([], { id: `other_${looked}`, status: 'in_progress', background: false }) })
          return io.res.end()
        }
        io.json({ ...io.response([listed, mcpCall(1), message('fine')]), id: 'other' })
      },
    })
    expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', outputText: 'fine', toolCalls: [{ status: 'ok' }] })
    expect(new Set(one.provider.others)).toEqual(new Set(['GET /responses/resp_1?stream=true']))
    expect(await responseRows(one)).toMatchObject([{ response_id: 'resp_1', background: true }])
  },
)

test('a provider that was stopped before the id of its answer came may go on, and that is said', async () => {
  const asked = Promise.withResolvers<void>()
  await using one = await rawHostedApp({ background: true, answer: () => asked.resolve() })
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await asked.promise
  await cancelRun(one.testApp.database.db, id, someone())
  const run = await one.testApp.ended(id)
  expect(run).toMatchObject({ status: 'cancelled', attempts: [{ mayGoOnUntil: expect.any(String) }] })
})
