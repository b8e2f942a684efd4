import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { startScriptedServer, textResult, type Seen } from '../../support/mcp/scripted-server.ts'
import { connect } from '../../support/mcp/session.ts'

const CALLS = 200
const numbers = Array.from({ length: CALLS }, (_, n) => n)

test('each of many calls at once on one session has the request id that the server saw', async () => {
  await using server = await startScriptedServer()
  const held: Seen[] = []
  server.on['tools/call'] = (seen) => {
    if (held.push(seen) < CALLS) return
    for (const one of held.toReversed()) {
      one.events()({ jsonrpc: '2.0', id: one.id, result: textResult(String(one.params?.arguments?.['n'])) })
      one.res.end()
    }
  }
  await using opened = await connect(server.url)
  const answers = await Promise.all(numbers.map((n) => opened.call('act', { n }, { toolCallId: `call-${n}` })))
  expect(answers).toEqual(numbers.map((n) => ({ kind: 'result', result: textResult(String(n)) })))
  const seenBy = new Map(held.map(({ headers, params }) => [`call-${String(params?.arguments?.['n'])}`, headers['x-request-id']]))
  const kept = new Map(
    opened.journal.requests.flatMap(({ toolCallId, requestIdSent }) => (toolCallId === null ? [] : [[toolCallId, requestIdSent] as const])),
  )
  expect(kept.size).toBe(CALLS)
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(seenBy))
})

test('each row of many calls at once names the request that carried it, through the gateway', async () => {
  await using server = await startCountingServer()
  const seen = new Map<number, string>()
  let release = Promise.withResolvers<void>()
  server.answer = async ({ arguments: { n } }, req) => {
    seen.set(Number(n), String(req.headers['x-request-id']))
    const mine = release
    if (seen.size % 50 === 0) {
      release = Promise.withResolvers<void>()
      mine.resolve()
    }
    await mine.promise
    return String(n)
  }
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: {
      many: 'account: reports\nmodel: { provider: openai, name: scripted }\nprompt: Do it.\ntools: { counting: { allow: [act], repeatable: [act] } }\nlimits: { toolCalls: 1000 }\n',
    },
    scripts: { scripted: `call ${numbers.map((n) => `counting__act {"n": ${n}}`).join(' & ')}\nsay $1 $200` },
    config: { worker: { toolConcurrency: 50 } },
  })
  expect(await testApp.run('many')).toMatchObject({ status: 'succeeded', outputText: '0 199' })
  const rows = await query<{ n: number; sent: string }>(
    testApp.database.db,
    `select (c.arguments->>'n')::int as n, r.request_id_sent::text as sent from gateway_requests r join tool_calls c on c.id = r.tool_call_id
     where r.rpc_method = 'tools/call' order by n`,
  )
  expect(rows).toEqual(numbers.map((n) => ({ n, sent: seen.get(n) })))
})
