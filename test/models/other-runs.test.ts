// What a request was refused for is one thing where it is the model that does not take it, and another where it stands in that request: then the next run is asked with its own.
import { APIError } from 'openai'
import { expect, test } from 'vitest'
import { createParameters } from '../../src/models/parameters.ts'
import { MESSAGES } from '../../src/models/anthropic/parts.ts'
import type { Exchange } from '../../src/models/model.ts'
import { openProvider, type Way } from '../support/model/provider.ts'

const call = { type: 'tool_call' as const, callId: 'c', name: 'look', arguments: '{}' }
const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }]
const withImage: Exchange[] = [{ items: [call], results: [{ callId: 'c', text: 'a chart', images: [{ mediaType: 'image/png', data: 'aGk=' }] }] }] // prettier-ignore
const thought = { type: 'reasoning' as const, raw: { type: 'thinking', thinking: 'Hm.', signature: 's' }, from: 'anthropic odd' }
const withThought: Exchange[] = [{ items: [thought, call], results: [{ callId: 'c', text: 'ok' }] }]
const output = { name: 'output', schema: { type: 'object' }, strict: true }

const refusal = new APIError(400, { message: 'output_config.format.schema: is too deep' }, undefined, new Headers())

const ANSWERS = {
  messages: { content: [{ type: 'text', text: 'ok' }], stop_reason: 'end_turn' },
  chat: { choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] },
  responses: { status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'ok' }] }] },
}

type Row = [way: Exclude<Way, 'hosted'>, message: string, word: string, request: object]
const MISSING = 'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.'

const ofOne: Row[] = [
  ['messages', 'messages.2.content.0.tool_result.content.1.image.source.base64: Could not process image', 'base64', { exchanges: withImage }],
  ['messages', 'messages.2.content.0.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes', 'base64', { exchanges: withImage }],
  ['messages', 'messages.2.content.0: At least one of the image dimensions exceed max allowed size: 8000 pixels', 'base64', { exchanges: withImage }],
  ['messages', 'messages.1.content.0: Invalid `signature` in `thinking` block', '"signature"', { exchanges: withThought }],
  ['messages', 'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".', '"signature"', { exchanges: withThought, settings: { effort: 'low' } }],
  ['messages', MISSING, '"adaptive"', { exchanges: withThought, settings: { effort: 'low' } }],
  ['messages', "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false", 'json_schema', { output }],
  ['chat', "Invalid schema for response_format 'output': In context=(), 'additionalProperties' is required to be supplied and to be false.", 'json_schema', { output }],
  ['responses', "Invalid schema for response_format 'output': schema must be a JSON Schema of 'type: \"object\"'.", 'json_schema', { output }],
  ['responses', 'The image data you provided does not represent a valid image.', 'base64', { exchanges: withImage }],
] // prettier-ignore

const ofAll: Row[] = [
  ['messages', 'This model does not support image input.', 'base64', { exchanges: withImage }],
  ['messages', 'adaptive thinking is not supported on this model', '"adaptive"', { settings: { effort: 'low' } }],
  ['messages', 'output_config.format: Extra inputs are not permitted', 'json_schema', { output }],
  ['chat', 'response_format type json_schema is unavailable now', 'json_schema', { output }],
] // prettier-ignore

/** Whether each request of two runs had the word; the server says no to those that have it. */
async function twoRuns([way, message, word, request]: Row) {
  const had: boolean[] = []
  const told: string[] = []
  await using opened = await openProvider({ way, stream: false, request: { tools, ...request }, warn: (one) => told.push(one) }, (res, body) => {
    const has = JSON.stringify(body).includes(word)
    had.push(has)
    res.writeHead(has ? 400 : 200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(has ? { type: 'error', error: { type: 'invalid_request_error', message } } : ANSWERS[way]))
  }) // prettier-ignore
  for (let n = 0; n < 2; n++) expect(await opened.ask()).toMatchObject({ stopReason: 'end' })
  return { had, told }
}

test.each(ofOne)('%s, what one run is refused for, the next one is asked with: %s', async (...row) => {
  const { had, told } = await twoRuns(row)
  expect(had).toEqual([true, false, true, false])
  expect(told).toEqual([0, 1].map(() => expect.stringContaining(' did not take ')))
})

test.each(ofAll)('%s, what a model does not take, the next run is asked without: %s', async (...row) => {
  const { had, told } = await twoRuns(row)
  expect(had).toEqual([true, false, false])
  expect(told).toEqual([expect.stringContaining(' does not take ')])
})

test('a run goes on without what it was refused for, and is told of it once', async () => {
  const told: string[] = []
  const ask = createParameters('m', MESSAGES)((message) => told.push(message))
  const body = { output_config: { format: {} } }
  let times = 0
  const send = async (sent: object) => {
    times++
    return await Promise.resolve('output_config' in sent ? Promise.reject(refusal) : 'ok')
  }
  for (let n = 0; n < 3; n++) expect(await ask(body, send)).toBe('ok')
  expect([times, told.length]).toEqual([4, 1])
})
