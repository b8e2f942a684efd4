import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { connect } from '../../support/mcp/session.ts'
import { startScriptedServer, textResult, type Seen, type Serve } from '../../support/mcp/scripted-server.ts'

const resultOf = (seen: Seen, value = 'done') => ({ jsonrpc: '2.0', id: seen.id, result: textResult(value) })

const stream = (seen: Seen, text: string) => {
  seen.res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  seen.res.write(text)
}

describe('an event stream', () => {
  test('is resumed after its last event when it was cut', async () => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        stream(seen, 'retry: 1\nid: e1\ndata:\n\n')
        seen.res.end()
      },
    })
    await using opened = await connect(server.url)
    const call = opened.call()
    const asked = await server.arrived('tools/call')
    server.on['GET'] = (seen) => {
      seen.events()(resultOf(asked), 'e2')
      seen.res.end()
    }
    expect(await call).toMatchObject({ result: textResult('done') })
    expect((await server.arrived('GET')).headers['last-event-id']).toBe('e1')
  })

  test('is resumed from the same event when the rest is cut before an event of its own', async () => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        stream(seen, 'retry: 1\nid: e1\ndata:\n\n')
        seen.res.end()
      },
      GET: (seen) => {
        seen.events()
        seen.res.end()
      },
    })
    await using opened = await connect(server.url)
    const call = opened.call()
    const asked = await server.arrived('tools/call')
    await server.arrived('GET')
    server.on['GET'] = (seen) => {
      seen.events()(resultOf(asked))
      seen.res.end()
    }
    expect(await call).toMatchObject({ result: textResult('done') })
    expect((await server.arrived('GET', 2)).headers['last-event-id']).toBe('e1')
  })

  const cannot: [string, Serve][] = [
    ['405', ({ res }) => void res.writeHead(405).end()],
    ['404', ({ res }) => void res.writeHead(404).end()],
    ['500', ({ res }) => void res.writeHead(500).end()],
    [
      'streams without events',
      (seen) => {
        seen.events()
        seen.res.end()
      },
    ],
  ]
  test.each(cannot)('that is resumed with %s leaves the outcome unknown', async (_, serve) => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        stream(seen, 'retry: 1\nid: e1\ndata:\n\n')
        seen.res.end()
      },
      GET: serve,
    })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  })

  test('that cannot be resumed costs no other call', async () => {
    await using server = await startScriptedServer()
    const gone = Promise.withResolvers<void>()
    server.on['tools/call'] = async (seen) => {
      if (seen.params?.name === 'act') {
        stream(seen, 'retry: 1\nid: e1\ndata:\n\n')
        return void seen.res.end()
      }
      await gone.promise
      seen.result(textResult('looked'))
    }
    await using opened = await connect(server.url)
    const other = opened.call('look')
    await expect(opened.call('act')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    gone.resolve()
    expect(await other).toMatchObject({ result: textResult('looked') })
  })

  test('is not resumed after the error of a call', async () => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        stream(
          seen,
          `retry: 1\nid: e1\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: seen.id, error: { code: -32000, message: 'no' } })}\n\n`,
        )
        seen.res.end()
      },
    })
    await using opened = await connect(server.url)
    expect(await opened.call()).toMatchObject({ kind: 'rpc-error', code: -32000 })
    server.on['tools/call'] = (seen) => seen.result(textResult('done'))
    await opened.call()
    await opened.session.close()
    expect(server.seen.map(({ kind }) => kind)).not.toContain('GET')
  })

  const lost: [string, (seen: Seen) => void][] = [
    ['without an event', (seen) => stream(seen, '')],
    ['after a comment', (seen) => stream(seen, ': ping\n\n')],
    ['after an event without an id', (seen) => stream(seen, 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n')],
    ['after an id without its event', (seen) => stream(seen, 'id: e1\n')],
    ['after an empty id', (seen) => stream(seen, 'id:\ndata:\n\n')],
    ['in the middle of its result', (seen) => stream(seen, `data: ${JSON.stringify(resultOf(seen)).slice(0, 20)}`)],
    ['after the result of another call', (seen) => stream(seen, `data: ${JSON.stringify({ ...resultOf(seen), id: 4711 })}\n\n`)],
    [
      'after the result of another call that has an event id',
      (seen) => stream(seen, `id: e1\ndata: ${JSON.stringify({ ...resultOf(seen), id: 4711 })}\n\n`),
    ],
    ['after text that looks like an id', (seen) => stream(seen, 'data: {"text":"\ndata: id: e1"}\n\n')],
  ]
  test.each(lost)('that ends %s leaves the outcome unknown', async (_, begin) => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        begin(seen)
        seen.res.end()
      },
    })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: expect.stringContaining('it may have run') })
  })

  test('that is torn off leaves the outcome unknown', async () => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => {
        stream(seen, ': ping\n\n')
        seen.res.destroy()
      },
    })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  })

  test('of a list that ends without the list is an unavailable server', async () => {
    await using server = await startScriptedServer({
      'tools/list': (seen) => {
        seen.events()
        seen.res.end()
      },
    })
    await using opened = await connect(server.url)
    await expect(opened.session.listTools(['*'], new AbortController().signal)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
})

describe('an answer', () => {
  const unreadable: [string, Serve][] = [
    ['with the id of another call', (seen) => seen.json({ ...resultOf(seen), id: 4711 })],
    ['without a result', (seen) => seen.json({ jsonrpc: '2.0', id: seen.id })],
    ['that is accepted and nothing more', ({ res }) => void res.writeHead(202).end()],
    ['of half a JSON body', ({ res }) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0",')],
    [
      'that is shorter than it says',
      ({ res }) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 }).write('{"jsonrpc":"2.0",')
        res.destroy()
      },
    ],
    ['of HTML', ({ res }) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['without a content type', ({ res }) => void res.writeHead(200).end('hello')],
    ['that is no answer but a torn connection', ({ res }) => void res.destroy()],
    ['of HTTP 500', ({ res }) => void res.writeHead(500).end('oops')],
    ['of HTTP 502', ({ res }) => void res.writeHead(502).end()],
    ['of HTTP 504', ({ res }) => void res.writeHead(504).end()],
  ]
  test.each(unreadable)('%s leaves the outcome unknown', async (_, serve) => {
    await using server = await startScriptedServer({ 'tools/call': serve })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: expect.stringContaining('it may have run') })
    expect(server.seen.filter(({ kind }) => kind === 'tools/call')).toHaveLength(1)
  })

  test('that is a JSON-RPC error is the server’s word, not a failure', async () => {
    await using server = await startScriptedServer({
      'tools/call': (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, error: { code: -32602, message: 'no such row' } }),
    })
    await using opened = await connect(server.url)
    expect(await opened.call()).toMatchObject({ kind: 'rpc-error', code: -32602, message: expect.stringContaining('no such row') })
  })

  test('keeps its other blocks when one is of a kind that nobody knows', async () => {
    const content = [{ type: 'hologram', data: 1 }, 17, { type: 'text', text: 'plain' }]
    await using server = await startScriptedServer({ 'tools/call': (seen) => seen.result({ content }) })
    await using opened = await connect(server.url)
    expect(await opened.call()).toEqual({ kind: 'result', result: { content } })
  })

  test.each([
    [{ content: null }, {}],
    [{ content: [], isError: null, structuredContent: null, _meta: null }, { content: [] }],
    [{ content: [], _meta: 'odd' }, { content: [] }],
    [{}, {}],
  ])('of %j is read, and null is absent', async (sent, result) => {
    await using server = await startScriptedServer({ 'tools/call': (seen) => seen.result(sent) })
    await using opened = await connect(server.url)
    expect(await opened.call()).toEqual({ kind: 'result', result })
  })
})

describe('an answer of 50 MB', () => {
  const piece = Buffer.alloc(1_048_576, 'a')
  const PIECES = 50

  /** Writes as fast as it is read, until it is done or nobody reads; resolves with the bytes taken. */
  async function pour({ res, closed }: Seen): Promise<number> {
    let sent = 0
    for (let n = 0; n < PIECES && !res.destroyed; n++) {
      sent += piece.length
      if (!res.write(piece)) await Promise.race([new Promise((done) => res.once('drain', done)), closed])
    }
    res.end()
    return sent
  }

  const kinds: [string, Record<string, string>, string][] = [
    ['JSON', { 'content-type': 'application/json' }, '{"jsonrpc":"2.0","id":1,"result":"'],
    ['JSON that says its length', { 'content-type': 'application/json', 'content-length': String(PIECES * piece.length + 1) }, '"'],
    ['events', { 'content-type': 'text/event-stream' }, 'data: '],
    ['events that could be resumed', { 'content-type': 'text/event-stream' }, 'retry: 1\nid: e1\ndata:\n\ndata: '],
  ]
  test.each(kinds)('as %s is too large, and most of it is never read', async (_, headers, head) => {
    const poured = Promise.withResolvers<number>()
    await using server = await startScriptedServer({
      'tools/call': async (seen) => {
        seen.res.writeHead(200, headers).write(head)
        poured.resolve(await pour(seen))
      },
    })
    await using opened = await connect(server.url, { maxResponseBytes: 1_048_576 })
    await expect(opened.call()).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
    expect(await poured.promise).toBeLessThan(25 * 1_048_576)
  })

  test('that was packed into less is too large as well', async () => {
    const packed = gzipSync(JSON.stringify({ jsonrpc: '2.0', id: 1, result: textResult('a'.repeat(PIECES * 1_048_576)) }))
    await using server = await startScriptedServer({
      'tools/call': ({ res }) =>
        void res
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': packed.length })
          .end(packed),
    })
    await using opened = await connect(server.url, { maxResponseBytes: 1_048_576 })
    await expect(opened.call()).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
  })
})

test('does not send a request that is larger than the route lets through', async () => {
  await using server = await startScriptedServer()
  await using opened = await connect(server.url, { maxRequestBytes: 512 })
  await expect(opened.call('act', { text: 'ü'.repeat(300) })).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
  expect(await opened.call('act', { text: 'ü'.repeat(100) })).toMatchObject({ kind: 'result' })
  expect(server.seen.filter(({ kind }) => kind === 'tools/call')).toHaveLength(1)
  expect(opened.journal.requests.filter(({ rpcMethod }) => rpcMethod === 'tools/call')).toHaveLength(1)
})
