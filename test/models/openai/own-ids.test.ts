import { expect, test } from 'vitest'
import { hold } from '../../support/model/conversation.ts'
import { serveHttp } from '../../support/net/listen.ts'

const call = (n: number) => ({ id: 'call_0', type: 'function', function: { name: 'shop__act', arguments: JSON.stringify({ n }) } })
const turns = [{ tool_calls: [call(1), call(2)] }, { tool_calls: [call(3)] }, { content: 'done' }]

test('calls of a model that gives each the same id have ids of their own in what is written', async () => {
  await using http = await serveHttp((req, res) => {
    req.resume()
    const message = turns.shift()
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] }))
  })
  await using held = await hold([], { provider: { baseUrl: http.url, api: 'chat' } })
  await held.run()
  const inTurns = held.journal.turns.flatMap(({ items }) => items.flatMap((item) => (item.type === 'tool_call' ? [item.callId] : [])))
  expect(new Set(inTurns).size).toBe(3)
  expect(inTurns[0]).toBe('call_0')
  expect(held.journal.calls.map(({ callId }) => callId)).toEqual(inTurns)
})
