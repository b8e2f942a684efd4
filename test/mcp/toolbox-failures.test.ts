import { describe, expect, test } from 'vitest'
import {
  byGateway,
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

const withId = (seen: Seen) => {
  const requestId = String(seen.headers['x-request-id'])
  seen.res.setHeader('x-request-id', requestId)
  return requestId
}

const denied: Serve = (seen) =>
  seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32602, message: 'access denied', data: { request_id: withId(seen) } } })

/** The gateway's own 401, which names the request. */
const refused: Serve = (seen) => seen.json({ error: 'Unauthorized', request_id: withId(seen) }, 401)

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

async function check({ serve, told, ends, kept }: Omit<Row, 'seen'>, { marked = true, tool = 'shop__act' } = {}): Promise<void> {
  await using server = await startScriptedServer({ 'tools/call': serve }, { marked })
  await using opened = await openBox([aServer(server.url)], { maxResponseBytes: 50_000 })
  if (told) expect(await opened.call(tool)).toMatchObject({ status: told.status, text: expect.stringContaining(told.text), mistake: false })
  else await expect(opened.call(tool)).rejects.toMatchObject({ name: 'Failure', code: ends })
  expect(opened.journal.ends.map(({ status }) => status)).toEqual([kept])
  expect(sent(server)).toHaveLength(1)
}

const policy = 'access to this tool was denied by policy'
const unknown = { ends: 'OUTCOME_UNKNOWN', kept: 'unknown' }

/** What says that a call did not run, when the gateway says it. `told` and `ends` of the row hold then. */
const refusals: Row[] = [
  { seen: '-32602 with the id of the request', serve: denied, told: { status: 'denied', text: policy }, kept: 'denied' },
  { seen: '401 that names the request', serve: refused, ends: 'CONNECTION_REQUIRED', kept: 'not_run' },
  { seen: '404 route_not_found', serve: http(404, '{"statusText": "route_not_found"}'), ends: 'ROUTE_UNKNOWN', kept: 'not_run' },
  { seen: '404', serve: http(404), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '405', serve: http(405), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '400', serve: http(400), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '403', serve: http(403), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '410', serve: http(410), ends: 'UPSTREAM_ERROR', kept: 'not_run' },
  { seen: '302', serve: http(302, '', { location: 'http://127.0.0.1:9/' }), ends: 'GATEWAY_UNREACHABLE', kept: 'not_run' },
  { seen: '413', serve: http(413), told: { status: 'refused', text: 'too large' }, kept: 'refused' },
  { seen: '429', serve: http(429, '', { 'retry-after': '7' }), ends: 'UPSTREAM_UNAVAILABLE', kept: 'not_run' },
  { seen: '503 of a connection that was refused', serve: http(503, refusedBy), ends: 'UPSTREAM_UNAVAILABLE', kept: 'not_run' },
]

describe('a call that may not be made twice and is answered with', () => {
  test.each(refusals)('$seen by the gateway did not run', ({ serve, ...row }) => check({ ...row, serve: byGateway(serve) }))

  test.each(refusals)('$seen by the server may have run', ({ serve }) =>
    check({ serve, ...(serve === denied ? { told: { status: 'error', text: 'access denied' }, kept: 'error' } : unknown) }),
  )

  test.each(refusals)('$seen by nobody knows whom may have run', ({ serve, ...row }) =>
    check({ serve, ...(serve === denied ? row : unknown) }, { marked: false }),
  )
})

describe('a call that may be made twice and is answered with', () => {
  test.each(refusals.filter(({ serve }) => serve !== denied))('$seen is believed, whoever says it', (row) =>
    check(row, { tool: 'shop__look' }),
  )
})

/** What leaves open whether a call ran, and what is an answer, whoever says it. */
const answers: Row[] = [
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
  { seen: '401 without a word, as the gateway passes on that of a server', serve: http(401), ...unknown },
  { seen: 'a 503 whose own text quotes that of a refused connection', serve: http(503, `not ${refusedBy}`), ...unknown },
  { seen: 'another 503', serve: http(503, 'overloaded'), ...unknown },
  { seen: '408', serve: http(408), ...unknown },
  { seen: '502', serve: http(502), ...unknown },
  { seen: '504', serve: http(504), ...unknown },
  { seen: '500', serve: http(500), ...unknown },
  { seen: 'a torn connection', serve: ({ res }) => void res.destroy(), ...unknown },
  {
    seen: 'a stream without its result',
    serve: (seen) => {
      seen.events()
      seen.res.end()
    },
    ...unknown,
  },
  {
    seen: 'an answer over the cap',
    serve: (seen) => seen.result(textResult('a'.repeat(100_000))),
    told: { status: 'error', text: 'the tool ran, but its result was too large' },
    kept: 'error',
  },
]

describe('a call that is answered with', () => {
  test.each(answers)('$seen by the server', (row) => check(row))
  test.each(answers)('$seen by the gateway', ({ serve, ...row }) => check({ ...row, serve: byGateway(serve) }))
})

describe('a token that the route list refuses as well', () => {
  test('is a bad token, and the call did not run', async () => {
    await using server = await startScriptedServer({ 'tools/call': byGateway(refused), GET: http(401) })
    await using opened = await openBox([aServer(server.url)])
    await expect(opened.call()).rejects.toMatchObject({ code: 'TOKEN_REJECTED' })
    expect(opened.journal.ends).toMatchObject([{ status: 'not_run' }])
  })

  test('says nothing of a call whose 401 was the server’s', async () => {
    await using server = await startScriptedServer({ 'tools/call': byGateway(http(401)), GET: http(401) })
    await using opened = await openBox([aServer(server.url)])
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', cause: { code: 'TOKEN_REJECTED' } })
    await expect(opened.call('shop__look')).rejects.toMatchObject({ code: 'TOKEN_REJECTED' })
  })
})

test('a 401 that cannot be explained leaves open whether the call ran', async () => {
  await using server = await startScriptedServer({ 'tools/call': byGateway(http(401)), GET: ({ res }) => void res.destroy() })
  await using opened = await openBox([aServer(server.url)])
  await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', cause: { code: 'GATEWAY_UNREACHABLE' } })
})

test('a server that asks to wait says for how long', async () => {
  await using server = await startScriptedServer({ 'tools/call': http(429, '', { 'retry-after': '7' }) })
  await using opened = await openBox([aServer(server.url)])
  await expect(opened.call('shop__look')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retry: 'later', retryAfterMs: 7000 })
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

  const rpcError = (status: number, code: number, message: string) => (seen: Seen) =>
    seen.json({ jsonrpc: '2.0', id: seen.id, error: { code, message } }, status)
  const ways: [string, (seen: Seen) => void][] = [
    ['404', ({ res }) => void res.writeHead(404).end()],
    ['404 and a JSON-RPC error', rpcError(404, -32001, 'Session not found')],
    ['410', ({ res }) => void res.writeHead(410).end()],
    ['400 "No valid session"', rpcError(400, -32000, 'Bad Request: No valid session ID provided')],
    ['400 in other words', rpcError(400, -32000, 'Bad Request: Server not initialized')],
  ]
  test.each(ways)('with %s is opened anew, and a call that may be made twice is made again', async (_, lose) => {
    await using server = await startForgetful(lose)
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    expect(await box.call('shop__look')).toMatchObject({ status: 'ok', text: 'done' })
    expect(await box.call('shop__look')).toMatchObject({ status: 'ok', text: 'done' })
    expect([server.opened(), sent(server).map(({ headers }) => headers['mcp-session-id'])]).toEqual([2, ['s1', 's2', 's2']])
    expect(box.journal.ends.map(({ status }) => status)).toEqual(['ok', 'ok'])
  })

  test.each(ways)('with %s leaves the outcome of any other call unknown, and the next call finds a new one', async (_, lose) => {
    await using server = await startForgetful(lose)
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    await expect(box.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(await box.call()).toMatchObject({ status: 'ok', text: 'done' })
    expect([server.opened(), sent(server).map(({ headers }) => headers['mcp-session-id'])]).toEqual([2, ['s1', 's2']])
    expect(box.journal.ends.map(({ status }) => status)).toEqual(['unknown', 'ok'])
  })

  test('with an error in a result is told to the model, and the next call finds a new one', async () => {
    await using server = await startForgetful(rpcError(200, -32001, 'Session not found'))
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    expect(await box.call()).toMatchObject({ status: 'error', text: 'Error: Session not found (code -32001)' })
    expect(await box.call()).toMatchObject({ status: 'ok', text: 'done' })
    expect(server.opened()).toBe(2)
  })

  test('is not what the gateway means with 404', async () => {
    await using server = await startForgetful(byGateway(({ res }) => void res.writeHead(404).end()))
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    await expect(box.call('shop__look')).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' })
    expect(server.opened()).toBe(1)
  })

  test.each([
    [404, 'UPSTREAM_UNAVAILABLE', 'lost two sessions in a row'],
    [400, 'UPSTREAM_ERROR', 'was answered with HTTP 400'],
  ])('twice in a row with %i is %s', async (status, code, message) => {
    await using server = await startScriptedServer({
      initialize: (seen) => {
        seen.res.setHeader('mcp-session-id', 's')
        seen.result(initializeResult)
      },
      'tools/call': http(status),
    })
    await using box = await openBox([aServer(server.url)])
    await expect(box.call('shop__look')).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect([sent(server).length, box.journal.ends.map((end) => end.status)]).toEqual([2, ['not_run']])
  })

  test.each([503, 500, 400])('and that cannot be opened anew (HTTP %i) leaves a call that was not run', async (status) => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    server.on['initialize'] = http(status)
    await expect(box.call('shop__look')).rejects.toMatchObject({
      name: 'Failure',
      code: status === 400 ? 'UPSTREAM_ERROR' : 'UPSTREAM_UNAVAILABLE',
    })
    expect(box.journal.ends).toMatchObject([{ status: 'not_run', failure: { server: 'shop' } }])
  })

  test('is opened anew once, however many calls find out', async () => {
    await using server = await startForgetful(({ res }) => void res.writeHead(404).end())
    await using box = await openBox([aServer(server.url)])
    server.alive.clear()
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => box.call('shop__look', JSON.stringify({ n }))))
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
    await box.call('shop__look')
    await box.box.close()
    const ended = server.seen.filter(({ kind }) => kind === 'DELETE').map(({ headers }) => String(headers['mcp-session-id']))
    expect(ended.toSorted()).toEqual(['s1', 's2'])
  })
})
