// How an answer ended may be said more than once, and not the same each time: the worst of it counts.
import { expect, test } from 'vitest'
import { openProvider } from '../../../support/model/provider.ts'

const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'A part of' }] }
const call = { type: 'function_call', call_id: 'c', name: 'shop__look', arguments: '{"of":1}' }
const reason = (of: string) => ({ incomplete_details: { reason: of } })
const usage = { input_tokens: 5, output_tokens: 5 }

const responses: [event: string, answer: object, ending: object][] = [
  ['completed', {}, { stopReason: 'end' }],
  ['completed', { status: null, incomplete_details: null }, { stopReason: 'end' }],
  ['completed', { status: 'completed', incomplete_details: {} }, { stopReason: 'end' }],
  ['completed', { status: 'completed', output: [{ ...said, status: 'in_progress' }] }, { stopReason: 'end' }],
  ['completed', { status: 'incomplete' }, { stopReason: 'cut' }],
  ['completed', { status: 'completed', ...reason('max_output_tokens') }, { stopReason: 'cut' }],
  ['completed', { ...reason('content_filter') }, { stopReason: 'filtered' }],
  ['completed', { status: 'completed', output: [{ ...call, status: 'incomplete' }] }, { stopReason: 'cut' }],
  ['completed', { status: 'completed', output: [{ ...said, status: 'incomplete' }] }, { stopReason: 'cut' }],
  ['incomplete', {}, { stopReason: 'cut' }],
  ['incomplete', { status: 'completed' }, { stopReason: 'cut' }],
  ['incomplete', { status: 'incomplete', ...reason('safety') }, { stopReason: 'filtered' }],
  ['incomplete', { status: 'failed' }, { code: 'MODEL_UNAVAILABLE' }],
  ['failed', {}, { code: 'MODEL_UNAVAILABLE' }],
  ['failed', { status: 'completed', error: null }, { code: 'MODEL_UNAVAILABLE' }],
  ['completed', { status: 'cancelled' }, { code: 'MODEL_UNAVAILABLE' }],
]

test.each(responses)('response.%s with %o ends as %o', async (event, answer, ending) => {
  const last = { type: `response.${event}`, response: { id: 'r', output: [said], usage, ...answer } }
  await using opened = await openProvider({ way: 'responses', stream: true }, (res) =>
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${JSON.stringify(last)}\n\n`),
  )
  expect(await opened.ask()).toMatchObject(ending)
})

const finishes: [finishes: unknown[], ending: object][] = [
  [['', 'stop', null], { stopReason: 'end' }],
  [['length', 'stop'], { stopReason: 'cut' }],
  [['stop', 'length'], { stopReason: 'cut' }],
  [['MAX_TOKENS', 'stop'], { stopReason: 'cut' }],
  [['content_filter', 'length', 'stop'], { stopReason: 'filtered' }],
  [['error', 'stop'], { code: 'MODEL_UNAVAILABLE' }],
  [['stop', 'abort'], { code: 'MODEL_UNAVAILABLE' }],
]

test.each(finishes)('a stream with the finish reasons %j ends as %o', async (reasons, ending) => {
  const chunks = reasons.map((finish) => ({ id: 'i', choices: [{ index: 0, delta: { content: 'A part of' }, finish_reason: finish }] }))
  await using opened = await openProvider({ way: 'chat', stream: true }, (res) =>
    res
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end([...chunks.map((one) => JSON.stringify(one)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('')),
  )
  expect(await opened.ask()).toMatchObject(ending)
})
