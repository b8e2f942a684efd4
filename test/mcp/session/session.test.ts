import { setTimeout as sleep } from 'node:timers/promises'
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { startEverythingServer } from '../../../src/demo/servers/everything.ts'
import { startLaborServer } from '../../../src/demo/servers/labor.ts'
import { openSession } from '../../../src/mcp/session/session.ts'
import { connect } from '../../support/mcp/session.ts'
import { initializeResult, startScriptedServer, textResult } from '../../support/mcp/scripted-server.ts'
import { openGatewayLine } from '../../support/gateway/recording-journal.ts'

const never = new AbortController().signal

test('speaks to the reference server, with sessions and event streams', async () => {
  await using server = await startEverythingServer()
  await using opened = await connect(server.url)
  const { tools } = await opened.session.listTools(['*'], never)
  expect([...tools.keys()]).toContain('echo')
  expect(await opened.call('echo', { message: 'hi' })).toEqual({ kind: 'result', result: textResult('Echo: hi') })
})

test('speaks to a stateless server', async () => {
  await using server = await startLaborServer()
  await using opened = await connect(server.url)
  const { tools, leftOut } = await opened.session.listTools(['*'], never)
  expect([[...tools.keys()], leftOut]).toEqual([['describe_tables', 'query'], []])
  expect(await opened.call('query', { sql: 'select 1 as one' })).toMatchObject({
    result: textResult('{"rows":[{"one":1}],"truncated":false}'),
  })
  await opened.session.close()
  expect(opened.journal.requests.map(({ method }) => method)).not.toContain('DELETE')
})

test('claims no capability', async () => {
  await using server = await startScriptedServer()
  await using _ = await connect(server.url)
  const { params } = await server.arrived('initialize')
  expect(params).toMatchObject({ capabilities: {}, clientInfo: { name: 'nightshift' } })
  expect(params?.['capabilities']).toEqual({})
})

test.each(['elicitation/create', 'sampling/createMessage', 'roots/list'])('answers %s of a server with -32601', async (method) => {
  await using server = await startScriptedServer()
  server.on['tools/call'] = async (seen) => {
    const send = seen.events()
    send({ jsonrpc: '2.0', id: 'asked', method, params: { message: 'your password?', messages: [], maxTokens: 1 } })
    const answer = await server.arrived('answer')
    send({ jsonrpc: '2.0', id: seen.id, result: textResult(JSON.stringify([answer.id, answer['error']])) })
    seen.res.end()
  }
  await using opened = await connect(server.url)
  expect(await opened.call()).toMatchObject({ result: textResult('["asked",{"code":-32601,"message":"Method not found"}]') })
})

test('opens no stream of its own', async () => {
  await using server = await startScriptedServer({
    initialize: (seen) => {
      seen.res.setHeader('mcp-session-id', 's1')
      seen.result(initializeResult)
    },
  })
  await using opened = await connect(server.url)
  await opened.call()
  await opened.session.close()
  expect(server.seen.map(({ kind }) => kind)).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'DELETE'])
  expect(opened.journal.requests.map(({ method }) => method)).not.toContain('GET')
})

test('sends the id of the session and the agreed version with each request', async () => {
  await using server = await startScriptedServer({
    initialize: (seen) => {
      seen.res.setHeader('mcp-session-id', 's1')
      seen.result(initializeResult)
    },
  })
  await using opened = await connect(server.url)
  await opened.call()
  const { headers } = await server.arrived('tools/call')
  expect([headers['mcp-session-id'], headers['mcp-protocol-version']]).toEqual(['s1', '2025-06-18'])
})

test.each([405, 404, 500])('takes a DELETE that is answered with %i as the end', async (status) => {
  await using server = await startScriptedServer({
    initialize: (seen) => {
      seen.res.setHeader('mcp-session-id', 's1')
      seen.result(initializeResult)
    },
    DELETE: ({ res }) => void res.writeHead(status).end(),
  })
  await using opened = await connect(server.url)
  await opened.session.close()
  await opened.session.close()
  expect(server.seen.filter(({ kind }) => kind === 'DELETE').map(({ headers }) => headers['mcp-session-id'])).toEqual(['s1'])
})

test('gives a DELETE up that is never answered', async () => {
  await using server = await startScriptedServer({
    initialize: (seen) => {
      seen.res.setHeader('mcp-session-id', 's1')
      seen.result(initializeResult)
    },
    DELETE: () => {},
  })
  await using opened = await connect(server.url)
  await opened.session.close()
  await (
    await server.arrived('DELETE')
  ).closed
})

test('leaves nothing on the caller’s signal, however many calls were made', async () => {
  await using server = await startScriptedServer()
  const run = new AbortController()
  await using opened = await connect(server.url, { signal: run.signal })
  const before = getEventListeners(run.signal, 'abort').length
  for (let n = 0; n < 50; n++) await opened.call('act', { n }, { signal: run.signal })
  await opened.session.listTools(['*'], run.signal)
  expect([before, getEventListeners(run.signal, 'abort').length]).toEqual([0, 0])
})

test('tells a server nothing of calls that are over when the run is aborted', async () => {
  await using server = await startScriptedServer()
  const run = new AbortController()
  await using opened = await connect(server.url, { signal: run.signal })
  await opened.session.listTools(['*'], run.signal)
  for (let n = 0; n < 5; n++) await opened.call('act', { n }, { signal: run.signal })
  run.abort(new Error('stop'))
  // One more exchange: what was sent by the abort would have come before it.
  await opened.call()
  expect(server.seen.map(({ kind }) => kind)).not.toContain('notifications/cancelled')
})

test('ends the HTTP exchange of a call that is aborted, and tells the server', async () => {
  await using server = await startScriptedServer({ 'tools/call': () => {} })
  await using opened = await connect(server.url)
  const run = new AbortController()
  const call = opened.call('act', {}, { signal: run.signal })
  const failed = expect(call).rejects.toThrow('enough')
  const seen = await server.arrived('tools/call')
  run.abort(new Error('enough'))
  await failed
  await seen.closed
  expect((await server.arrived('notifications/cancelled')).params).toMatchObject({ requestId: seen.id })
})

test('ends the exchange of a call that is aborted in the middle of its events, and does not resume it', async () => {
  await using server = await startScriptedServer({
    'tools/call': (seen) => {
      seen.res.setHeader('x-begun', 'yes')
      seen.res.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1\nid: e1\ndata:\n\n')
    },
  })
  await using opened = await connect(server.url)
  const run = new AbortController()
  const failed = expect(opened.call('act', {}, { signal: run.signal })).rejects.toThrow('enough')
  const seen = await server.arrived('tools/call')
  run.abort(new Error('enough'))
  await failed
  await seen.closed
  await server.arrived('notifications/cancelled')
  server.on['tools/call'] = (again) => again.result(textResult('done'))
  await opened.call()
  expect(opened.journal.requests.map(({ method }) => method)).not.toContain('GET')
})

test('ends the HTTP exchange of an initialize when its time is over', async () => {
  await using server = await startScriptedServer({ initialize: () => {} })
  await using line = openGatewayLine()
  const opening = openSession(
    {
      server: 'scripted',
      url: server.url,
      fetch: line.fetch,
      maxRequestBytes: 4096,
      timeoutMs: 20,
      maxResponseBytes: 1_048_576,
      redact: (text) => text,
    },
    never,
  )
  await expect(opening).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  await (
    await server.arrived('initialize')
  ).closed
})

test('ends the HTTP exchange of a list when its time is over', async () => {
  await using server = await startScriptedServer({ 'tools/list': () => {} })
  await using opened = await connect(server.url, { timeoutMs: 500 })
  await expect(opened.session.listTools(['*'], never)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  await (
    await server.arrived('tools/list')
  ).closed
})

test('ends streams that a server keeps open after their results', async () => {
  await using server = await startScriptedServer({
    'tools/call': (seen) => seen.events()({ jsonrpc: '2.0', id: seen.id, result: textResult('done') }),
  })
  await using opened = await connect(server.url)
  await opened.call()
  await opened.session.close()
  await (
    await server.arrived('tools/call')
  ).closed
})

test('a server may take its time over a notification: the answer before it has come, and is no lost one', async () => {
  await using server = await startScriptedServer({
    'notifications/initialized': async ({ res }) => {
      await sleep(1500)
      res.writeHead(202).end()
    },
  })
  await using opened = await connect(server.url)
  expect(await opened.call()).toMatchObject({ result: textResult('done') })
})

test('an answer to a request of the server does not make up for a result that never came', async () => {
  await using server = await startScriptedServer({
    'tools/call': (seen) => {
      seen.events()({ jsonrpc: '2.0', id: 'p1', method: 'ping' })
      seen.res.end()
    },
  })
  await using opened = await connect(server.url)
  await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  await server.arrived('answer')
})
