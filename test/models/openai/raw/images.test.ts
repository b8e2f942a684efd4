// Images of tool results: where each API takes them, and what a server reads that takes none.
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Exchange } from '../../../../src/models/model.ts'
import { openProvider } from '../../../support/model/provider.ts'

const image = (data: string) => ({ mediaType: 'image/png', data })
const shown: Exchange = {
  items: [
    { type: 'tool_call', callId: 'c_1', name: 'shop__look', arguments: '{}' },
    { type: 'tool_call', callId: 'c_2', name: 'shop__look', arguments: '{}' },
  ],
  results: [
    { callId: 'c_1', id: 't1c1', text: 'two charts', images: [image('QUFB'), image('QkJC')] },
    { callId: 'c_2', id: 't1c2', text: 'no chart' },
  ],
}
const url = (data: string) => `data:image/png;base64,${data}`

const responses = [
  {
    type: 'function_call_output',
    call_id: 'c_1',
    output: [
      { type: 'input_text', text: 'two charts' },
      { type: 'input_image', image_url: url('QUFB'), detail: 'auto' },
      { type: 'input_image', image_url: url('QkJC'), detail: 'auto' },
    ],
  },
  { type: 'function_call_output', call_id: 'c_2', output: 'no chart' },
]
const chat = [
  { role: 'tool', tool_call_id: 'c_1', content: 'two charts' },
  { role: 'tool', tool_call_id: 'c_2', content: 'no chart' },
  {
    role: 'user',
    content: [
      { type: 'text', text: '[images of result t1c1]' },
      { type: 'image_url', image_url: { url: url('QUFB') } },
      { type: 'image_url', image_url: { url: url('QkJC') } },
    ],
  },
]
const words = '[an image, image/png: this model reads no images]'

const bodySchema = z.looseObject({ input: z.array(z.unknown()).optional(), messages: z.array(z.unknown()).optional() })
const DONE = {
  responses: { id: 'r', status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'done' }] }] },
  chat: { id: 'c', choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }] },
}

/** Asks twice; `refuses` is what the server says to a request with an image. */
async function ask(way: 'responses' | 'chat', refuses?: string) {
  const told: string[] = []
  const ends: unknown[][] = []
  await using provider = await openProvider(
    { way, stream: false, request: { exchanges: [shown] }, warn: (message) => told.push(message) },
    (res, sent) => {
      const body = bodySchema.parse(sent)
      ends.push((body.input ?? body.messages ?? []).slice(-(way === 'chat' ? chat : responses).length))
      const isRefused = refuses !== undefined && JSON.stringify(body).includes('base64')
      res.writeHead(isRefused ? 400 : 200, { 'content-type': 'application/json' })
      res.end(JSON.stringify(isRefused ? { error: { message: refuses } } : DONE[way]))
    },
  )
  for (let n = 0; n < 2; n++) expect(await provider.ask()).toMatchObject({ items: [{ type: 'message', text: 'done' }] })
  return { told, ends }
}

test('stand in the result, for the Responses API', async () => {
  expect((await ask('responses')).ends).toEqual([responses, responses])
})

test('stand in a message after the results, for Chat', async () => {
  expect((await ask('chat')).ends).toEqual([chat, chat])
})

test.each([
  ['responses', 'This model does not support image inputs.'],
  ['chat', 'Invalid content type. image_url is only supported by certain models.'],
  ['chat', 'm is not a multimodal model'],
  ['chat', 'Input should be a valid string'],
  ['chat', "Unexpected role 'user' after role 'tool'"],
] as const)('are words for a server of %s that says: %s', async (way, refusal) => {
  const { told, ends } = await ask(way, refusal)
  expect(told).toEqual([expect.stringContaining('does not take images of results')])
  // The first request, without them, and the next one, which leaves them out at once.
  expect(ends).toHaveLength(3)
  expect(ends[1]).toEqual(ends[2])
  expect(JSON.stringify(ends[1])).not.toContain('base64')
  const [first] = way === 'chat' ? (ends[1] ?? []).slice(-2) : (ends[1] ?? [])
  expect(first).toMatchObject({ [way === 'chat' ? 'role' : 'type']: way === 'chat' ? 'tool' : 'function_call_output' })
  expect(JSON.stringify(ends[1])).toContain(`${words}\\n${words}`)
})

test.each([
  ['responses', 'The image data you provided does not represent a valid image. Please check your input and try again.'],
  ['responses', 'You uploaded an unsupported image. Please make sure your image has of one the following formats: png, jpeg.'],
  ['chat', 'Failed to load image: cannot identify image file'],
  ['chat', "Invalid 'messages[2].content[1].image_url.url'. Expected a base64-encoded data URL, but got an invalid base64 value."],
] as const)('of another run are given to a server of %s that says of one: %s', async (way, refusal) => {
  const { told, ends } = await ask(way, refusal)
  expect(told).toEqual([0, 1].map(() => expect.stringContaining('did not take an image of a result')))
  // Each request is tried with its own images.
  expect(ends).toHaveLength(4)
  expect([ends[0], ends[1]]).toEqual([ends[2], ends[3]])
  expect(JSON.stringify(ends[2])).toContain('base64')
  expect(JSON.stringify(ends[3])).not.toContain('base64')
  expect(JSON.stringify(ends[3])).toContain('one of these images could not be read')
})
