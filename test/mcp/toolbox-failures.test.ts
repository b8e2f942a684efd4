import { describe, expect, test } from 'vitest'
import {
  initializeResult,
  startScriptedServer,
  textResult,
  type ScriptedServer,
  type Seen,
  type Serve,
} from '../support/mcp/scripted-server.ts'
import { aServer, openBox } from '../support/mcp/tool-box.ts'

const http =
  (status: number, body = '', headers: Record<string, string> = {}): Serve =>
  ({ res }) =>
    void res.writeHead(status, headers).end(body)

const refusedBy = JSON.stringify({ status: '503', statusText: 'upstream_reset_before_response_started{remote_connection_failure|111}' })

const denied: Serve = (seen) => {
  const requestId = String(seen.headers['x-request-id'])
  seen.res.setHeader('x-request-id', requestId)
  seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32602, message: 'access denied', data: { request_id: requestId } } })
}

const sent = (server: ScriptedServer) => server.seen.filter(({ kind }) => kind === 'tools/call')

interface Row {
  seen: string
  serve: Serve
  /** Told to the model. */
  told?: { status: string; text: string }
  /** Ends the attempt. */
  ends?: string
  kept: string
}

const rows: Row[] = [
  {
    seen: '-32602 with the id of the request',
    serve: denied,
    told: { status: 'denied', text: 'access to this tool was denied by policy' },
    kept: 'denied',
  },
  {
    seen: '-32602 without the id of the request',
    serve: (seen) =>
      seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32602, message: 'no such row', data: { request_id: 'another' } } }),
    told: { status: 'error', text: 'no such row' },
    kept: 'error',
  },
  {
    seen: 'another JSON-RPC error',
    serve: (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32000, message: 'busy' } }),
    told: { status: 'error', text: 'busy' },
    kept: 'error',
  },
  { seen: '401', serve: http(401), ends: 'CONNECTION_REQUIRED', kept: 'not_run' },
  { seen: '404 route_not_found', serve: http(404, '{"statusText": "route_not_found"}'), ends: 'ROUTE_UNKNOWN', kept: 'not_run' },
  { seen: '404 of a server without sessions', serve: http(404), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '405', serve: http(405), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '400', serve: http(400), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '302', serve: http(302, '', { location: 'http://127.0.0.1:9/' }), ends: 'GATEWAY_UNREACHABLE', kept: 'not_run' },
  { seen: '413', serve: http(413), told: { status: 'refused', text: 'too large' }, kept: 'refused' },
  { seen: '429', serve: http(429, '', { 'retry-after': '7' }), ends: 'UPSTREAM_UNAVAILABLE', kept: 'not_run' },
  { seen: '503 of a connection that was refused', serve: http(503, refusedBy), ends: 'UPSTREAM_UNAVAILABLE', kept: 'not_run' },
  { seen: 'a 503 whose own text quotes that', serve: http(503, `not ${refusedBy}`), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  { seen: 'another 503', serve: http(503, 'overloaded'), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  { seen: '502', serve: http(502), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  { seen: '504', serve: http(504), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  { seen: '500', serve: http(500), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  { seen: 'a torn connection', serve: ({ res }) => void res.destroy(), ends: 'OUTCOME_UNKNOWN', kept: 'unknown' },
  {
    seen: 'a stream without its result',
    serve: (seen) => {
      seen.events()
      seen.res.end()
    },
    ends: 'OUTCOME_UNKNOWN',
    kept: 'unknown',
  },
  {
    seen: 'an answer over the cap',
    serve: (seen) => seen.result(textResult('a'.repeat(100_000))),
    told: { status: 'error', text: 'the tool ran, but its result was too large' },
    kept: 'error',
  },
]

describe('a call that is answered with', () => {
  test.each(rows)('$seen', async ({ serve, told, ends, kept }) => {
    await using server = await startScriptedServer({ 'tools/call': serve })
    await using opened = await openBox([aServer(server.url)], { maxResponseBytes: 50_000 })
    if (told) expect(await opened.call()).toMatchObject({ status: told.status, text: expect.stringContaining(told.text), mistake: false })
    else await expect(opened.call()).rejects.toMatchObject({ name: 'Failure', code: ends })
    expect(opened.journal.ends.map(({ status }) => status)).toEqual([kept])
    expect(sent(server)).toHaveLength(1)
  })
})

test('a token that the route list refuses as well is a bad token', async () => {
  await using server = await startScriptedServer({ 'tools/call': http(401), GET: http(401) })
  await using opened = await openBox([aServer(server.url)])
  await expect(opened.call()).rejects.toMatchObject({ code: 'TOKEN_REJECTED' })
})

test('a server that asks to wait says for how long', async () => {
  await using server = await startScriptedServer({ 'tools/call': http(429, '', { 'retry-after': '7' }) })
  await using opened = await openBox([aServer(server.url)])
  await expect(opened.call()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retry: 'later', retryAfterMs: 7000 })
})

test('arguments over the route’s limit are told to the model and never sent', async () => {
  await using server = await startScriptedServer()
  await using opened = await openBox([aServer(server.url, { maxRequestBytes: 512 })])
  const outcome = await opened.call('shop__act', JSON.stringify({ text: 'x'.repeat(600) }))
  expect(outcome).toMatchObject({ status: 'refused', text: expect.stringContaining('too large'), failure: { code: 'REQUEST_TOO_LARGE' } })
  expect(sent(server)).toEqual([])
})

describe('an unknown outcome', () => {
  test('of a repeatable tool is healed by time', async () => {
    await using server = await startScriptedServer({ 'tools/call': http(502) })
    await using opened = await openBox([aServer(server.url)])
    await expect(opened.call('shop__look')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retry: 'later' })
    expect(opened.journal.calls).toMatchObject([{ tool: 'look', repeatable: true }])
    expect(opened.journal.ends).toMatchObject([{ status: 'unknown' }])
  })

  test('of another tool is never repeated', async () => {
    await using server = await startScriptedServer({ 'tools/call': http(502) })
    await using opened = await openBox([aServer(server.url)])
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', retry: 'never' })
    expect(opened.journal.calls).toMatchObject([{ tool: 'act', repeatable: false }])
  })

  test('is told to the model where the job says so', async () => {
    await using server = await startScriptedServer({ 'tools/call': http(502) })
    await using opened = await openBox([aServer(server.url)], { onUnknown: 'tell-model' })
    expect(await opened.call()).toMatchObject({
      status: 'unknown',
      text: expect.stringContaining('Do not repeat it'),
      failure: { code: 'OUTCOME_UNKNOWN' },
    })
  })

  test('is that of a call under way when the run is aborted', async () => {
    await using server = await startScriptedServer({ 'tools/call': () => {} })
    await using opened = await openBox([aServer(server.url)])
    const run = new AbortController()
    const failed = expect(opened.call('shop__act', '{}', run.signal)).rejects.toThrow('enough')
    await server.arrived('tools/call')
    run.abort(new Error('enough'))
    await failed
    expect(opened.journal.ends).toMatchObject([{ status: 'unknown' }])
  })
})

describe('a session that the server forgot', () => {
  /** A server with sessions; those in `alive` are known to it. */
  async function startForgetful(lose: (seen: Seen) => void) {
    const alive = new Set<string>()
    let opened = 0
    const server = await startScriptedServer({
      initialize: (seen) => {
        const id = `s${++opened}`
        alive.add(id)
        seen.res.setHeader('mcp-session-id', id)
        seen.result(initializeResult)
      },
      'tools/call': (seen) => (alive.has(String(seen.headers['mcp-session-id'])) ? seen.result(textResult('done')) : lose(seen)),
    })
    return Object.assign(server, { alive, opened: () => opened })
  }

  const ways: [string, (seen: Seen) => void][] = [
    ['404', ({ res }) => void res.writeHead(404).end()],
    [
      '400 "No valid session"',
      (seen) => seen.json({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Bad Request: No valid session ID provided' } }, 400),
    ],
  ]
  test.each(ways)('with %s is opened anew, and the call is made again', async (_, lose) => {
    await using server = await startForgetful(lose)
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    expect(await box.call()).toMatchObject({ status: 'ok', text: 'done' })
    expect(await box.call()).toMatchObject({ status: 'ok', text: 'done' })
    expect([server.opened(), sent(server).map(({ headers }) => headers['mcp-session-id'])]).toEqual([2, ['s1', 's2', 's2']])
    expect(box.journal.ends.map(({ status }) => status)).toEqual(['ok', 'ok'])
  })

  test('twice in a row is an unavailable server, and the call was not run', async () => {
    await using server = await startScriptedServer({
      initialize: (seen) => {
        seen.res.setHeader('mcp-session-id', 's')
        seen.result(initializeResult)
      },
      'tools/call': http(404),
    })
    await using box = await openBox([aServer(server.url)])
    await expect(box.call()).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('lost two sessions in a row'),
    })
    expect([sent(server).length, box.journal.ends.map(({ status }) => status)]).toEqual([2, ['not_run']])
  })

  test.each([503, 500, 400])('and that cannot be opened anew (HTTP %i) leaves a call that was not run', async (status) => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    server.on['initialize'] = http(status)
    await expect(box.call()).rejects.toMatchObject({ name: 'Failure', code: status === 400 ? 'UPSTREAM_ERROR' : 'UPSTREAM_UNAVAILABLE' })
    expect(box.journal.ends).toMatchObject([{ status: 'not_run', failure: { server: 'shop' } }])
  })

  test('is opened anew once, however many calls find out', async () => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => box.call('shop__act', JSON.stringify({ n }))))
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'ok'))
    expect(server.opened()).toBe(2)
  })

  test('costs no call that is still under way in it', async () => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    const held = Promise.withResolvers<void>()
    const serve = server.on['tools/call']
    server.on['tools/call'] = async (seen) => {
      await held.promise
      seen.result(textResult('slow'))
    }
    const slow = box.call()
    await server.arrived('tools/call')
    if (serve) server.on['tools/call'] = serve
    server.alive.clear()
    expect(await box.call('shop__look')).toMatchObject({ text: 'done' })
    held.resolve()
    expect(await slow).toMatchObject({ status: 'ok', text: 'slow' })
  })

  test('is ended with the others', async () => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    await box.call()
    await box.box.close()
    const ended = server.seen.filter(({ kind }) => kind === 'DELETE').map(({ headers }) => String(headers['mcp-session-id']))
    expect(ended.toSorted()).toEqual(['s1', 's2'])
  })
})
