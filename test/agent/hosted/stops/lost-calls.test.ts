import { expect, test } from 'vitest'
import { z } from 'zod'
import { hostedApp, hostedJob } from '../../../support/app/hosted.ts'

const LOOKS = Array.from({ length: 2 }, (_, n) => `call counting__look {"n": ${n + 1}}`).join('\n')
const TOOLS = 'counting: { allow: [look], repeatable: [look], minCalls: 0 }'
const asked = z.array(z.looseObject({ max_tool_calls: z.number().optional(), tools: z.array(z.unknown()).optional() }))

/** The stream ends in order, so that what was said before is heard. */
const lostOnce = (toolCalls: number) =>
  hostedApp(`${LOOKS}\nsilent\nsay so far`, { job: hostedJob(`limits: { toolCalls: ${toolCalls} }`, TOOLS) })

test('calls of an answer that was lost count: the next one may make what is left', async () => {
  await using one = await lostOnce(3)
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'incomplete', reasons: [{ code: 'BUDGET_TOOL_CALLS' }] })
  expect(asked.parse(one.testApp.world.model.requests).map((request) => request.max_tool_calls)).toEqual([3, 1])
  expect(one.server.methods.filter((method) => method === 'tools/call')).toHaveLength(3)
  expect(run.toolCalls).toHaveLength(3)
})

test('where none is left, an answer is asked for without any tool', async () => {
  await using one = await lostOnce(2)
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({
    status: 'incomplete',
    outputText: 'so far',
    reasons: [{ code: 'BUDGET_TOOL_CALLS', message: 'All 2 tool calls were used, in answers that were lost.' }],
  })
  const [, ...later] = asked.parse(one.testApp.world.model.requests)
  expect(later.flatMap(({ tools = [] }) => tools)).toEqual([])
  expect(one.server.methods.filter((method) => method === 'tools/call')).toHaveLength(2)
})
