import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Journal } from '../../../../src/core/ports/journal.ts'
import { createJournalWriter } from '../../../../src/store/attempts/journal.ts'
import { hostedJob, rawHostedApp, type RawHostedApp } from '../../../support/app/hosted.ts'
import { callRecord, fallSilent, opened } from '../../../support/database/attempts.ts'
import { listed, mcpCall, message, type RawExchange } from '../../../support/model/raw-provider.ts'

// What an attempt wrote before it died, statement by statement: the next one asks the provider again only where no call may run twice.

const LOOKS = hostedJob('', 'counting: { allow: [look], repeatable: [look], minCalls: 0 }')

const says = (io: RawExchange) => {
  io.event('response.completed', { response: io.response([listed, message('fine')]) })
  io.res.end()
}

type Step = (journal: Journal, id: string) => Promise<void>

/** One call from its first row to the end of its answer, by which the worker dies before it writes what follows. */
const answer = (call: Parameters<typeof callRecord>[0]): Step[] => [
  (journal) => journal.response({ turn: 1, background: false }),
  (journal) => journal.responseState({ turn: 1, responseId: 'resp_0', state: 'started', background: false }),
  (journal, id) => journal.toolCall(callRecord({ id, ...call })),
  (journal, id) => journal.toolCallEnd({ id, status: 'ok', result: { text: 'done', truncated: false }, failure: null, durationMs: 1 }),
  (journal) => journal.responseState({ turn: 1, responseId: null, state: 'over' }),
]

/** A run whose worker died after these statements. */
async function leftAfter({ testApp }: RawHostedApp, steps: readonly Step[]): Promise<string> {
  const { db } = testApp.database
  const id = await testApp.queue('act')
  const journal = createJournalWriter(db).forAttempt(await opened(db, id))
  const callId = randomUUID()
  for (const step of steps) await step(journal, callId)
  await fallSilent(db, id)
  return id
}

test.each([
  ['that is not repeatable', hostedJob('', 'counting: { allow: ["*"], minCalls: 0 }'), {}, [false, true, true, true, true, true]],
  ['that the job does not allow', LOOKS, {}, [false, false, false, true, true, true]],
  ['that is repeatable', LOOKS, { tool: 'look', repeatable: true }, [false, false, false, false, false, false]],
])('after each statement about a call %s, nothing is asked twice that must not be', async (_, job, call, isUnknown) => {
  await using one = await rawHostedApp({ job, answer: says })
  const steps = answer(call)
  const ids: string[] = []
  for (let n = 0; n <= steps.length; n++) ids.push(await leftAfter(one, steps.slice(0, n)))
  await one.testApp.app.worker.start()
  const runs = await Promise.all(ids.map((id) => one.testApp.ended(id)))
  expect(runs.map(({ failure }) => failure?.code === 'OUTCOME_UNKNOWN')).toEqual(isUnknown)
  expect(one.provider.asked).toHaveLength(isUnknown.filter((unknown) => !unknown).length)
})

/** Calls, says so, and breaks off the first time that it is asked. */
const breaksOff = (tool: string, more: object) => async (io: RawExchange, nth: number) => {
  const item = mcpCall(1, { name: tool, ...more })
  io.event('response.output_item.added', { item: { ...item, output: null } })
  await io.call(tool, { n: 1 })
  io.event('response.output_item.done', { item })
  if (nth === 1) io.res.end()
  else says(io)
}

test.each([{}, { id: undefined }, { id: 7 }])(
  'calls of two answers have a row each, also where both begin to count anew (%o)',
  async (more) => {
    await using one = await rawHostedApp({ job: LOOKS, answer: breaksOff('look', more) })
    const run = await one.testApp.run('act')
    expect(one.provider.asked).toHaveLength(2)
    expect(run).toMatchObject({
      status: 'succeeded',
      toolCalls: [
        { attempt: 1, turn: 1 },
        { attempt: 2, turn: 2 },
      ],
    })
  },
)

test('a call that the provider was not allowed is not made twice where its answer broke off', async () => {
  await using one = await rawHostedApp({ job: LOOKS, answer: breaksOff('act', {}) })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', failure: { code: 'OUTCOME_UNKNOWN' }, toolCalls: [{ tool: 'act', status: 'ok' }] })
  expect(one.provider.asked).toHaveLength(1)
  expect(one.server.effects).toHaveLength(1)
})

test.each(['max_tool_calls (2) exceeded', 'Reached the limit max_tool_calls: 2.'])(
  'a provider that says %j made calls, and is not asked again',
  async (told) => {
    await using one = await rawHostedApp({
      async answer(io) {
        await io.call('act', { n: 1 })
        io.json({ error: { message: told } }, 400)
      },
    })
    expect(await one.testApp.run('act')).toMatchObject({ status: 'failed', failure: { retry: 'never' } })
    expect(one.provider.asked).toHaveLength(1)
  },
)
