import { expect, test } from 'vitest'
import { rawHostedApp } from '../../support/app/hosted.ts'
import { listed, mcpCall, message } from '../../support/model/raw-provider.ts'

/** A run whose provider gives this answer, and this one when it is asked again. */
async function answered(output: readonly object[], again: readonly object[] = []) {
  await using one = await rawHostedApp({
    async answer(io, nth) {
      if (nth === 1) await io.call('act', { n: 1 })
      io.json(io.response((nth === 1 ? output : again).map((item) => ({ ...item }))))
    },
  })
  return { run: await one.testApp.run('act'), asked: one.provider.asked.length }
}

test.each([
  ['a message before the last call is not in the answer', [listed, message('I will look.'), mcpCall(1), message('Found 7.')], 'Found 7.'],
  [
    'messages after the last call are the answer together',
    [listed, mcpCall(1), message('Found 7.'), message('Of 12.')],
    'Found 7.\n\nOf 12.',
  ],
  [
    'messages that are marked as the answer are it, wherever they stand',
    [listed, message('Found 7.', { phase: 'final_answer' }), mcpCall(1), message('So.', { phase: 'commentary' })],
    'Found 7.',
  ],
  [
    'a message that is marked as said on the way is not in the answer',
    [listed, mcpCall(1), message('Let me see.', { phase: 'commentary' }), message('Found 7.')],
    'Found 7.',
  ],
])('%s, and the turn keeps all of them', async (_, output, text) => {
  const { run, asked } = await answered(output)
  expect(run).toMatchObject({ status: 'succeeded', outputText: text })
  expect(run.turns[0]?.items.filter(({ type }) => type === 'message')).toHaveLength(2)
  expect(asked).toBe(1)
})

test('an answer that ends with a call is asked for, and what was said before the call is not taken for it', async () => {
  const { run, asked } = await answered([listed, message('I will look.'), mcpCall(1)], [message('Found 7.')])
  expect(run).toMatchObject({ status: 'succeeded', outputText: 'Found 7.' })
  expect(asked).toBe(2)
})
