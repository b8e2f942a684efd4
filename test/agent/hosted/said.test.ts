import { expect, test } from 'vitest'
import { rawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

// What a provider fills in is not yet said.

const created = (io: RawExchange) =>
  io.event('response.created', { response: io.response([], { status: 'in_progress', background: true }) })

test.each([
  ['null', null],
  ['""', ''],
  ['false', false],
  ['{}', {}],
  ['[]', []],
  ['empty members', { code: null, message: '', data: [] }],
])('an error that is %s is none, wherever it stands', async (_, error) => {
  await using one = await rawHostedApp({
    async answer(io, nth) {
      const items = [{ ...listed, error }, mcpCall(nth, { error }), message('fine')]
      await io.call('act', { n: nth })
      if (nth === 2) return io.json(io.response(items, { error }))
      items.forEach((item, at) => io.event('response.output_item.done', { output_index: at, item, error }))
      io.event('response.completed', { response: io.response(items, { error }), error })
      io.res.end()
    },
  })
  const runs = [await one.testApp.run('act'), await one.testApp.run('act')]
  const expected = { status: 'succeeded', outputText: 'fine', toolCalls: [{ status: 'ok', result: { text: 'done' } }] }
  expect(runs).toMatchObject([expected, expected])
})

const BROKEN = { type: 'http_error', code: 500, message: 'no' }

test.each([
  [{ output: 'done' }, { status: 'succeeded', toolCalls: [{ status: 'ok', result: { text: 'done' } }] }],
  [
    { output: null, error: BROKEN },
    { status: 'incomplete', toolCalls: [{ status: 'unknown', failure: { code: 'OUTCOME_UNKNOWN' } }] },
  ],
])('what a call that is looked at while it runs has in place of a result is none: it ends as %o', async (end, expected) => {
  const before = [
    { output: '', error: '', status: 'in_progress' },
    { output: '', error: {} },
    { output: '', status: 'calling' },
  ]
  let polls = 0
  await using one = await rawHostedApp({
    background: true,
    async answer(io) {
      created(io)
      await io.call('act', { n: 1 })
      io.res.end()
    },
    other(io) {
      const shown = before[polls++]
      if (shown) io.json(io.response([listed, mcpCall(1, { status: undefined, ...shown })], { status: 'in_progress', background: true }))
      else io.json(io.response([listed, mcpCall(1, end), message('fine')], { background: true }))
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({ outputText: 'fine', ...expected })
  expect(polls).toBe(before.length + 1)
})

test('a call that is said to be over without its result has the one of the whole answer', async () => {
  await using one = await rawHostedApp({
    async answer(io) {
      created(io)
      io.event('response.output_item.done', { output_index: 1, item: mcpCall(1, { output: null }) })
      await io.call('act', { n: 1 })
      io.event('response.completed', { response: io.response([listed, mcpCall(1), message('fine')]) })
      io.res.end()
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', toolCalls: [{ status: 'ok', result: { text: 'done' } }] })
})
