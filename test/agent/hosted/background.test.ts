import { expect, test } from 'vitest'
import { loadRun } from '../../../src/store/runs/show.ts'
import { responseRows, rawHostedApp } from '../../support/app/hosted.ts'
import { until } from '../../support/until.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

const whole = [listed, mcpCall(1), message('fine')]
const created = (io: RawExchange, fields: object) =>
  io.event('response.created', { response: io.response([], { status: 'in_progress', ...fields }) })

/** Really makes a call that nobody is told of before the stream ends. */
async function actAndBreak(io: RawExchange, fields: object): Promise<void> {
  created(io, fields)
  io.event('response.output_item.added', { output_index: 1, item: { ...mcpCall(1), arguments: '', output: null } })
  await io.call('act', { n: 1 })
  io.res.end()
}

test.each([{ background: false }, {}, { background: null }])(
  'a provider that was asked for background mode and says %o is not attached to, and may not be asked again',
  async (fields) => {
    await using one = await rawHostedApp({ background: true, answer: (io) => actAndBreak(io, fields) })
    const run = await one.testApp.run('act')
    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'OUTCOME_UNKNOWN', requestId: 'req_1' },
      toolCalls: [{ tool: 'act', status: 'unknown' }],
    })
    expect(one.provider.others).toEqual([])
    expect(await responseRows(one)).toMatchObject([{ background: false }])
    expect(one.testApp.log.filter((line) => line.includes('was to answer in the background'))).toHaveLength(1)
  },
)

const refused = (io: RawExchange) =>
  io.json({ error: { message: 'Streaming of this response is not available.', code: 'stream_unavailable' } }, 400)

test.each([
  ['refuses to stream it', (io: RawExchange) => (io.path.includes('stream=true') ? refused(io) : false)],
  ['answers with JSON instead', () => false],
])('an answer in the background is asked for until it is over when its provider %s', async (_, refuse) => {
  let polls = 0
  await using one = await rawHostedApp({
    background: true,
    answer: (io) => actAndBreak(io, { background: true, status: 'queued' }),
    other(io) {
      if (refuse(io) !== false) return
      const underWay = [listed, { ...mcpCall(1), output: null, status: 'in_progress' }]
      io.json(++polls === 1 ? io.response(underWay, { status: 'in_progress', background: true }) : io.response(whole, { background: true }))
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    outputText: 'fine',
    turns: [{ responseId: 'resp_1', providerRequestId: 'req_json' }],
    toolCalls: [{ tool: 'act', arguments: { n: 1 }, status: 'ok' }],
  })
  expect(polls).toBe(2)
  expect(one.provider.asked).toHaveLength(1)
})

test.each([
  ['cancelled', { status: 'failed', failure: { code: 'MODEL_UNAVAILABLE', retry: 'never' } }],
  ['failed', { status: 'failed', failure: { code: 'MODEL_UNAVAILABLE', retry: 'never' } }],
  ['incomplete', { status: 'incomplete', reasons: [{ code: 'ANSWER_CUT' }] }],
])('an answer in the background that ends as %s is not green, and is not asked for again', async (status, expected) => {
  await using one = await rawHostedApp({
    background: true,
    answer: (io) => actAndBreak(io, { background: true }),
    other: (io) => io.json(io.response(whole, { status, background: true })),
  })
  expect(await one.testApp.run('act')).toMatchObject({ ...expected, toolCalls: [{ status: 'ok' }] })
  expect(one.provider.asked).toHaveLength(1)
  expect(one.server.effects).toHaveLength(1)
})

test('where a stream in the background is refused, the answer is asked for without a stream', async () => {
  await using one = await rawHostedApp({
    background: true,
    async answer(io) {
      if (io.body.stream) return io.json({ detail: "This server does not yet support 'stream' and 'background' together." }, 400)
      await io.call('act', { n: 1 })
      io.json(io.response([], { status: 'queued', background: true }))
    },
    other: (io) => io.json(io.response(whole, { background: true })),
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', outputText: 'fine', toolCalls: [{ status: 'ok' }] })
  expect(one.provider.asked.map(({ stream = false, background }) => [stream, background])).toEqual([
    [true, true],
    [false, true],
  ])
  expect(one.provider.others).toEqual(['GET /responses/resp_1'])
})

test('a whole answer where a stream was asked for is read as one, with the id of its request', async () => {
  await using one = await rawHostedApp({
    async answer(io) {
      await io.call('act', { n: 1 })
      io.json(io.response(whole))
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    turns: [{ responseId: 'resp_1', providerRequestId: 'req_json' }],
    toolCalls: [{ arguments: { n: 1 }, status: 'ok' }],
  })
})

test.each([[[]], [undefined]])('what the events said counts where the last one says nothing (%s)', async (output) => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io, {})
      io.event('response.output_item.done', { output_index: 0, item: listed })
      await io.call('act', { n: 1 })
      io.event('response.output_item.done', { output_index: 1, item: mcpCall(1) })
      io.event('response.output_item.done', { output_index: 2, item: message('fine') })
      io.event('response.completed', { response: { ...io.response([]), output } })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    outputText: 'fine',
    turns: [{ providerRequestId: 'req_1' }],
    toolCalls: [{ arguments: { n: 1 }, status: 'ok' }],
  })
})

test('arguments that an earlier attempt did not know are written when the answer is found again', async () => {
  const held = Promise.withResolvers<void>()
  await using one = await rawHostedApp({
    background: true,
    worker: { drainTimeout: '10ms' },
    async answer(io) {
      created(io, { background: true })
      io.event('response.output_item.added', { output_index: 1, item: { ...mcpCall(1), arguments: '', output: null } })
      await io.call('act', { n: 1 })
      held.resolve()
    },
    other: (io) => io.json(io.response(whole, { background: true })),
  })
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await held.promise
  await until(async () => (await loadRun(one.testApp.database.db, id))?.toolCalls[0])
  await one.testApp.app.worker.stop()
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({
    status: 'succeeded',
    attempts: [{ status: 'lost' }, { status: 'succeeded' }],
    toolCalls: [{ attempt: 1, arguments: { n: 1 }, status: 'ok' }],
  })
  expect(one.server.effects).toHaveLength(1)
})

const RATE = { code: 'rate_limit_exceeded', message: 'Rate limit reached', param: null }

test.each([
  ['before any call is tried again', false, [{ failure: { code: 'MODEL_RATE_LIMITED' } }, { status: 'succeeded' }]],
  ['after a call is that failure, and is not tried again', true, [{ failure: { code: 'MODEL_RATE_LIMITED', retry: 'never' } }]],
])('an answer of which its provider says that it failed, %s', async (_, acts, attempts) => {
  await using one = await rawHostedApp({
    async answer(io, nth) {
      created(io, {})
      if (nth > 1) io.event('response.completed', { response: io.response([listed, message('fine')]) })
      else {
        if (acts) {
          await io.call('act', { n: 1 })
          io.event('response.output_item.done', { output_index: 1, item: mcpCall(1) })
        }
        io.event('error', { ...RATE, error: RATE })
      }
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({ attempts })
  expect(one.server.effects).toHaveLength(acts ? 1 : 0)
})

test('an answer of which its provider says that it failed while a call is under way has an unknown outcome', async () => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io, {})
      io.event('response.output_item.added', { output_index: 1, item: { ...mcpCall(1), output: null } })
      await io.call('act', { n: 1 })
      io.event('error', { ...RATE, error: RATE })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'failed',
    failure: { code: 'OUTCOME_UNKNOWN' },
    attempts: [{ status: 'failed' }],
    toolCalls: [{ status: 'unknown' }],
  })
})
