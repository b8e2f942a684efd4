// An answer that takes a break goes on by another request: what goes wrong with that one says nothing of what ran before it.
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Failure } from '../../../../src/core/failure.ts'
import { isNotRun } from '../../../../src/core/ports/gateway.ts'
import { createProvider } from '../../../../src/models/anthropic/provider.ts'
import type { HostedEvent } from '../../../../src/models/hosted.ts'
import { serveHttp } from '../../../support/net/listen.ts'

const used = { type: 'mcp_tool_use', id: 'u1', name: 'act', server_name: 'shop', input: { n: 1 } }
const result = { type: 'mcp_tool_result', tool_use_id: 'u1', is_error: false, content: [{ type: 'text', text: 'done' }] }
const paused = { id: 'msg_1', content: [used, result], stop_reason: 'pause_turn', usage: { input_tokens: 5, output_tokens: 2 } }
const over = { id: 'msg_2', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn', usage: { input_tokens: 9, output_tokens: 3 } } // prettier-ignore
const request = { maxToolCalls: 3, instructions: undefined, prompt: 'Do it.', output: undefined, servers: [{ name: 'shop', url: 'https://shop.example.com/mcp', tools: ['act'], headers: { authorization: 'Bearer x' } }] } // prettier-ignore

async function play(second: [status: number, answer: object], first: object = paused) {
  const bodies: unknown[] = []
  await using server = await serveHttp(async (req, res) => {
    bodies.push(await json(req))
    const [status, answer] = bodies.length === 1 ? [200, first] : second
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  const provider = createProvider({ name: 'p', baseUrl: server.url, apiKey: () => undefined, stream: true, labels: false, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: true, maxTokensOf: () => undefined, redact: (text) => text.replaceAll('done', '[secret]') }) // prettier-ignore
  const hosted = provider.hosted('m')
  const events: HostedEvent[] = []
  let said: unknown
  let failure: unknown
  try {
    for await (const event of await hosted.ask(request, new AbortController().signal)) events.push(event)
  } catch (error) {
    said = hosted.classifyError(error, ['shop'])
    failure = hosted.nameFailure(error)
  }
  await provider.close()
  return { events, said, failure, bodies }
}

test('it is one answer, and what was said goes back as it came', async () => {
  const { events, bodies } = await play([200, over])
  expect(events.map(({ kind }) => kind)).toEqual(['opened', 'started', 'used', 'spoken', 'call', 'ended', 'used', 'used', 'used', 'answer'])
  expect(bodies[1]).toMatchObject({
    messages: [{ role: 'user' }, { role: 'assistant', content: [used, result] }],
    mcp_servers: [{ name: 'shop' }],
  })
  const last = events.at(-1)
  expect(last?.kind === 'answer' && last.answer.calls).toMatchObject([{ id: 'u1', outcome: { kind: 'ok', text: '[secret]' } }])
  expect(last?.kind === 'answer' && last.answer.turn()).toMatchObject({ usage: { inputTokens: 14, outputTokens: 5 }, responseId: 'msg_2' })
})

test.each([400, 401, 429, 529])('a request that goes on and is refused with %i does not say that nothing ran', async (status) => {
  const { said, failure, events } = await play([status, { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }])
  expect(said).toEqual({ kind: 'other' })
  expect(failure).toBeInstanceOf(Failure)
  expect(isNotRun(failure)).toBe(false)
  expect(events.some(({ kind }) => kind === 'ended')).toBe(true)
})

test('what it used is not known where one of its messages does not say', async () => {
  const { events } = await play([200, over], { ...paused, usage: null })
  const last = events.at(-1)
  expect(last?.kind === 'answer' && last.answer.turn().usage).toBeNull()
  expect(events.some(({ kind }) => kind === 'used')).toBe(false)
})
