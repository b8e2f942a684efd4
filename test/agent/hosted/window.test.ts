import { expect, test } from 'vitest'
import { rawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message, type RawExchange } from '../../support/model/raw-provider.ts'

// What a provider that works by itself does with more than its model reads.

const models = { scripted: { windowTokens: 8000 } }
const whole = async (io: RawExchange, extra: Record<string, unknown>, ...items: Record<string, unknown>[]) => {
  await io.call('act', { n: 1 })
  io.json(io.response([listed, mcpCall(1, { output: 'a row\n'.repeat(8000) }), ...items, message('fine')], extra))
}

test('a provider is asked to compact before the window is full, where that is known, and one that does not take it is asked without', async () => {
  await using known = await rawHostedApp({ config: { models }, answer: (io) => whole(io, {}) })
  await known.testApp.run('act')
  expect(known.provider.asked.map(({ context_management: asked, truncation }) => [asked, truncation])).toEqual([
    [[{ type: 'compaction', compact_threshold: 4800 }], undefined],
  ])
  await using unknown = await rawHostedApp({ answer: (io) => whole(io, {}) })
  await unknown.testApp.run('act')
  expect(unknown.provider.asked[0]).not.toHaveProperty('context_management')
  await using refusing = await rawHostedApp({
    config: { models },
    answer: (io, nth) =>
      nth === 1
        ? io.json(
            { error: { message: 'Unknown parameter: context_management', type: 'invalid_request_error', param: 'context_management' } },
            400,
          )
        : whole(io, {}),
  })
  expect(await refusing.testApp.run('act')).toMatchObject({ status: 'succeeded' })
  expect(refusing.provider.asked.map((body) => 'context_management' in body)).toEqual([true, false])
})

test('what it compacted is said of its answer', async () => {
  const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' }
  await using one = await rawHostedApp({ config: { models }, answer: (io) => whole(io, {}, compaction) })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', turns: [{ compacted: 1 }] })
})

test('one that leaves out what does not fit is not green where more was to be read than fits', async () => {
  await using one = await rawHostedApp({ config: { models }, answer: (io) => whole(io, { truncation: 'auto' }) })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    outputText: 'fine',
    reasons: [{ code: 'RESULT_PARTIAL', message: expect.stringMatching(/about 1\d{4} tokens were to be read, and 8000 fit/) }],
  })
  await using large = await rawHostedApp({
    config: { models: { scripted: { windowTokens: 100_000 } } },
    answer: (io) => whole(io, { truncation: 'auto' }),
  })
  expect(await large.testApp.run('act')).toMatchObject({ status: 'succeeded', reasons: [] })
})
