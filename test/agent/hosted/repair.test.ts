import { expect, test } from 'vitest'
import { z } from 'zod'
import { hostedJob, rawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

const OUTPUT = 'output: { schema: { type: object, properties: { total: { type: integer } }, required: [total] } }'
const ONCE = hostedJob(OUTPUT).replace('attempts: 3', 'attempts: 1')

/** A provider that calls a tool, answers in prose, and then does this when it is asked again. */
const thenAgain = (again: (io: RawExchange, nth: number) => void) => async (io: RawExchange, nth: number) => {
  if (nth > 1) return again(io, nth)
  await io.call('act', { n: 1 })
  io.json(io.response([listed, mcpCall(1), message('about 7')]))
}

test.each<[what: string, code: string, again: (io: RawExchange) => void, job?: string]>([
  ['is refused as wrong', 'MODEL_REJECTED', (io) => io.json({ error: { message: 'no such thing' } }, 400)],
  ['is refused by the model', 'MODEL_REFUSED', (io) => io.json(io.response([message('', { content: [{ type: 'refusal', refusal: 'no' }] })]))], // prettier-ignore
  ['comes to nothing, at the last try', 'MODEL_UNAVAILABLE', (io) => void io.res.destroy(), ONCE],
])('the first answer is kept, and is not green, when the question for a better one %s', async (_, code, again, job = hostedJob(OUTPUT)) => {
  await using one = await rawHostedApp({ job, answer: thenAgain(again) })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', outputText: 'about 7', attempts: [{ number: 1 }] })
  expect(run.reasons.map((reason) => reason.code)).toEqual(['OUTPUT_INVALID', code])
  expect(one.server.effects).toHaveLength(1)
})

test('a question for a better answer that time may heal is asked by the next attempt, with the calls and their results', async () => {
  await using one = await rawHostedApp({
    job: hostedJob(OUTPUT),
    answer: thenAgain((io, nth) =>
      nth < 5 ? io.json({ error: { message: 'busy' } }, 503) : io.json(io.response([message('{"total": 7}')])),
    ),
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    output: { total: 7 },
    attempts: [{ status: 'failed' }, { status: 'succeeded' }],
  })
  const { input } = z.object({ input: z.array(z.looseObject({})) }).parse(one.provider.asked.at(-1))
  expect(input).toMatchObject([
    { role: 'user' },
    { type: 'function_call', name: 'counting__act', arguments: '{"n":1}' },
    { type: 'function_call_output', output: 'done' },
    { role: 'assistant' },
    { role: 'user' },
  ])
  expect(one.server.effects).toHaveLength(1)
})

test('a model that answers after a stop is told of each call, also of one whose outcome is not known', async () => {
  await using one = await rawHostedApp({
    job: hostedJob('limits: { toolCalls: 1 }'),
    async answer(io, nth) {
      if (nth > 1) return io.json(io.response([message('so far')]))
      io.event('response.created', { response: io.response([], { status: 'in_progress' }) })
      await io.call('act', { n: 1 })
      io.event('response.output_item.done', { output_index: 1, item: mcpCall(1) })
      io.event('response.output_item.added', { output_index: 2, item: { ...mcpCall(2), arguments: '', output: null } })
      io.event('response.mcp_call.in_progress', { output_index: 3, item_id: 'mcp_3' })
    },
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'incomplete', outputText: 'so far' })
  const { input } = z.object({ input: z.array(z.looseObject({})) }).parse(one.provider.asked[1])
  expect(input).toMatchObject([
    { role: 'user' },
    { type: 'function_call', arguments: '{"n":1}' },
    { type: 'function_call', name: 'counting__act', arguments: '{}' },
    { type: 'function_call_output', output: 'done' },
    { type: 'function_call_output', output: expect.stringContaining('it may have run') },
  ])
})
