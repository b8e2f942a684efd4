import { expect, test } from 'vitest'
import { fetch } from 'undici'
import { startDemoModel } from '../../../../src/demo/model/model.ts'
import { script } from '../../../../src/demo/model/script.ts'
import { OGX_HABITS, OPENAI_HABITS, SMG_HABITS, type Habits } from '../../../../src/demo/model/vendors/habits.ts'
import { startCountingServer } from '../../../support/mcp/counting-server.ts'

/** What the servers sent about their calls when they were asked for two with `max_tool_calls: 1`: of OGX 1.5.0 and SMG 1.13.0 as recorded, of OpenAI as its schema orders them. */
const ABOUT_CALLS: [string, Habits, string[]][] = [
  [
    'OpenAI',
    OPENAI_HABITS,
    [
      'output_item.added',
      'mcp_call.in_progress',
      'mcp_call_arguments.delta',
      'mcp_call_arguments.done',
      'mcp_call.completed',
      'output_item.done',
    ],
  ],
  [
    'OGX',
    OGX_HABITS,
    [
      'function_call_arguments.delta',
      'mcp_call.arguments.done',
      'output_item.added',
      'mcp_call.in_progress',
      'mcp_call.completed',
      'output_item.done',
      'function_call_arguments.delta',
      'mcp_call.arguments.done',
    ],
  ],
  [
    'SMG',
    SMG_HABITS,
    [
      'output_item.added',
      'mcp_call.in_progress',
      'mcp_call_arguments.delta',
      'mcp_call_arguments.done',
      'mcp_call.completed',
      'output_item.done',
      'output_item.added',
      'mcp_call.in_progress',
      'mcp_call_arguments.delta',
      'mcp_call_arguments.done',
      'error: Exceeded max_tool_calls limit',
    ],
  ],
]

interface Sent {
  type?: string
  item?: { type?: string }
  error?: { message: string }
}

test.each(ABOUT_CALLS)('the habits of %s are told of a call as they were seen', async (_, habits, expected) => {
  await using server = await startCountingServer()
  await using model = await startDemoModel({
    scripts: { m: script('call counting__act {"n": 1}\ncall counting__act {"n": 2}\nsay done') },
    habits,
  })
  const tool = { type: 'mcp', server_label: 'counting', server_url: server.url, allowed_tools: ['act'], require_approval: 'never' }
  const answer = await fetch(`${model.url}/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', input: [], stream: true, max_tool_calls: 1, tools: [tool] }),
  })
  const events = (await answer.text()).split('\n').flatMap((line): Sent[] => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))
  const told = events.flatMap(({ type = '', item, error }) => {
    if (error) return [`error: ${error.message}`]
    return item?.type === 'mcp_call' || /mcp_call|arguments/.test(type) ? [type.replace('response.', '')] : []
  })
  expect(told).toEqual(expected)
  expect(server.effects).toHaveLength(1)
})
