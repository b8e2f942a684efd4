import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { connect, type SessionSettings } from '../../support/mcp/session.ts'
import { initializeResult, startScriptedServer, textResult, type Seen, type Serve } from '../../support/mcp/scripted-server.ts'

// What servers in the wild send that the specification does not allow, and that leaves no doubt what it means.

const EVENTS = 'text/event-stream'
const JSON_TYPE = 'application/json'
const answerOf = ({ id }: Seen, extra: object = {}) => JSON.stringify({ jsonrpc: '2.0', id, result: textResult('Zürich 🌍'), ...extra })

const raw =
  (type: string | undefined, bodyOf: (seen: Seen) => string): Serve =>
  (seen) =>
    void seen.res.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(bodyOf(seen))

async function callOf(serve: Serve, settings: SessionSettings = {}) {
  await using server = await startScriptedServer({ 'tools/call': serve })
  await using opened = await connect(server.url, settings)
  return { answer: await opened.call(), seen: server.seen }
}

const tidy: [string, Serve][] = [
  ['JSON under the type of text', raw('text/plain', answerOf)],
  ['JSON under no type', raw(undefined, answerOf)],
  ['JSON with spaces around it', raw(JSON_TYPE, (seen) => `\n ${answerOf(seen)}\r\n`)],
  ['a type in capitals with a parameter', raw('Application/JSON; charset=utf-8', answerOf)],
  ['an error that is null', raw(JSON_TYPE, (seen) => answerOf(seen, { error: null }))],
  ['an id that is a text', raw(JSON_TYPE, (seen) => answerOf(seen, { id: String(seen.id) }))],
  ['an id that is null', raw(JSON_TYPE, (seen) => answerOf(seen, { id: null }))],
  ['no version of JSON-RPC', raw(JSON_TYPE, (seen) => answerOf(seen, { jsonrpc: undefined }))],
  ['keys that nobody knows', raw(JSON_TYPE, (seen) => answerOf(seen, { server: 'x', took: 7 }))],
  ['a list of one answer', raw(JSON_TYPE, (seen) => `[${answerOf(seen)}]`)],
  ['a notification before the answer', raw(JSON_TYPE, (seen) => `[{"jsonrpc":"2.0","method":"notifications/progress"},${answerOf(seen)}]`)],
  ['events under the type of text', raw('text/plain', (seen) => `event: message\ndata: ${answerOf(seen)}\n\n`)],
  [
    'events whose lines end in CR alone',
    raw(EVENTS, (seen) => `\ufeff: hi\rretry: 10\r\rid: 1\revent: message\rdata: ${answerOf(seen)}\r\r`),
  ],
  ['events whose lines end in CR and LF', raw(EVENTS, (seen) => `data: ${answerOf(seen)}\r\n\r\n`)],
  ['an event without an end', raw(EVENTS, (seen) => `data: ${answerOf(seen)}`)],
  ['an event with the rest of a line', raw(EVENTS, (seen) => `data: ${answerOf(seen)}\n`)],
  [
    'an event over several lines',
    raw(EVENTS, (seen) => `${JSON.stringify(JSON.parse(answerOf(seen)), null, 1).replaceAll(/^/gm, 'data: ')}\n\n`),
  ],
  ['a list of messages in one event', raw(EVENTS, (seen) => `data: [{"jsonrpc":"2.0","method":"notifications/x"},${answerOf(seen)}]\n\n`)],
  ['an event that is no JSON before it', raw(EVENTS, (seen) => `data: hello\n\nevent: ping\ndata: {}\n\ndata: ${answerOf(seen)}\n\n`)],
  ['the answer twice, and junk behind it', raw(EVENTS, (seen) => `data: ${answerOf(seen)}\n\ndata: ${answerOf(seen)}\n\ndata: x\n\n`)],
]

describe('an answer with', () => {
  test.each(tidy)('%s is read', async (_, serve) => {
    expect((await callOf(serve)).answer).toEqual({ kind: 'result', result: textResult('Zürich 🌍') })
  })

  test('CR alone as the line end is read while its stream stays open', async () => {
    const open: Serve = (seen) => {
      seen.res.writeHead(200, { 'content-type': EVENTS }).write(`data: ${answerOf(seen)}\r\r`)
    }
    expect((await callOf(open)).answer).toMatchObject({ kind: 'result' })
  })

  const errors: [unknown, object][] = [
    [
      { code: -32602, message: 'no row', data: null },
      { code: -32602, message: 'no row', data: undefined },
    ],
    [
      { code: '-32602', message: 'no row' },
      { code: -32602, message: 'no row' },
    ],
    [{ message: 'no row' }, { code: -32603, message: 'no row' }],
    [
      { code: 1.5, message: { text: 'x' } },
      { code: -32603, message: '' },
    ],
    ['no row', { code: -32603, message: 'no row' }],
  ]
  test.each(errors)('the error %j is the server’s word', async (error, told) => {
    const serve = raw(JSON_TYPE, ({ id }) => JSON.stringify({ jsonrpc: '2.0', id, result: null, error }))
    expect((await callOf(serve)).answer).toMatchObject({ kind: 'rpc-error', ...told })
  })

  test('half of a character is well-formed before anybody reads it', async () => {
    const serve = raw(
      JSON_TYPE,
      ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"a\\ud83dc \\\\ud83d \\ud83c\\udf0d"}]}}`,
    )
    expect((await callOf(serve)).answer).toEqual({ kind: 'result', result: textResult('a\ufffdc \\ud83d 🌍') })
  })

  test('a secret has none when it is read, in whatever field it stood', async () => {
    const redact = (text: string) => text.replaceAll('hunter2-hunter2', '[secret]')
    const serve = raw(JSON_TYPE, (seen) =>
      answerOf(seen, {
        result: { content: [{ type: 'hunter2-hunter2', hunter2: 'hunter2-h\\u0075nter2' }], 'hunter2-hunter2': 1 },
      }).replace('\\\\u', '\\u'),
    )
    const { answer } = await callOf(serve, { redact })
    expect(answer).toMatchObject({ kind: 'result' })
    expect(JSON.stringify(answer)).not.toContain('hunter2-hunter2')
  })

  const unreadable: [string, Serve, string][] = [
    ['that is HTML', raw('text/html', () => '<html>'), 'no JSON, but text/html'],
    ['that is empty', raw(JSON_TYPE, () => ''), 'no JSON, but nothing'],
    ['without an answer', raw(JSON_TYPE, () => '{}'), 'JSON without a result or an error'],
  ]
  test.each(unreadable)('%s says what it was', async (_, serve, why) => {
    await expect(callOf(serve)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', message: expect.stringContaining(why) })
  })
})

describe('an initialize', () => {
  const sloppy: [string, object][] = [
    ['no version of the server', { serverInfo: { name: 'r' } }],
    ['no name of the server', { serverInfo: null }],
    ['no capabilities', { capabilities: null }],
    ['capabilities of another form', { capabilities: { tools: true, logging: null, experimental: 7 } }],
    ['instructions that are no text', { instructions: { text: 'x' } }],
    ['a revision of the future', { protocolVersion: '2031-01-01' }],
    ['null in each field that may be left out', { _meta: null, instructions: null, serverInfo: { name: 'r', version: '1', title: null } }],
  ]
  test.each(sloppy)('with %s opens a session', async (_, extra) => {
    await using server = await startScriptedServer({ initialize: (seen) => seen.result({ ...initializeResult, ...extra }) })
    await using opened = await connect(server.url)
    expect(await opened.call()).toMatchObject({ kind: 'result' })
  })

  test('whose load balancer sets a cookie has it in each request that follows, but not the gateway’s own', async () => {
    await using server = await startScriptedServer({
      initialize: (seen) => {
        seen.res.setHeader('set-cookie', ['lb=a1; Path=/; HttpOnly', '_pomerium=person', 'gone=1', 'gone=; Max-Age=0', 'bad name=1'])
        seen.result(initializeResult)
      },
    })
    await using opened = await connect(server.url)
    await opened.call()
    expect(server.seen.map(({ headers }) => headers['cookie'])).toEqual([undefined, 'lb=a1', 'lb=a1'])
  })
})

describe('a server that goes on and on during one call', () => {
  test('with requests of its own is cut off', async () => {
    const serve: Serve = (seen) => {
      const send = seen.events()
      for (let n = 0; n < 5000; n++) send({ jsonrpc: '2.0', id: `p${n}`, method: 'ping' })
    }
    await using server = await startScriptedServer({ 'tools/call': serve })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('more than 100 requests of its own'),
    })
    await opened.session.close()
    expect(server.seen.filter(({ kind }) => kind === 'answer').length).toBeLessThanOrEqual(100)
  })

  test('with streams that are resumed is held to the bytes of one answer', async () => {
    const piece = (id: string) => `retry: 0\nid: ${id}\ndata:\n\n: ${'x'.repeat(400_000)}\n\n`
    let n = 0
    const cut: Serve = ({ res }) => void res.writeHead(200, { 'content-type': EVENTS }).end(piece(`e${++n}`))
    await using server = await startScriptedServer({ 'tools/call': cut, GET: cut })
    await using opened = await connect(server.url)
    await expect(opened.call()).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
    expect(n).toBe(3)
  })
})

const large: [string, string][] = [
  ['nested deep', '['.repeat(900_000)],
  ['nested deep, and closed', `${'['.repeat(400_000)}${']'.repeat(400_000)}`],
  ['of very many parts', `[${'[],'.repeat(300_000)}0]`],
]
test.each(large)('an answer %s is not parsed', async (_, value) => {
  const serve = raw(JSON_TYPE, ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":{"structuredContent":${value}}}`)
  await expect(callOf(serve)).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
})

test('any JSON as an answer is an answer or a failure with a name', async () => {
  let body = ''
  await using server = await startScriptedServer({
    'tools/call': ({ res }) => void res.writeHead(200, { 'content-type': JSON_TYPE }).end(body),
  })
  await using opened = await connect(server.url)
  const part = fc.oneof(fc.constant(null), fc.string(), fc.integer(), fc.jsonValue({ maxDepth: 2 }))
  const message = fc.record({ jsonrpc: part, id: part, result: part, error: part, method: part, params: part }, { requiredKeys: [] })
  await fc.assert(
    fc.asyncProperty(fc.oneof(message, fc.array(message, { maxLength: 3 }), part), async (value) => {
      body = JSON.stringify(value)
      const seen = await opened.call().then(
        ({ kind }) => kind,
        (error: unknown) => (error instanceof Error ? error.name : 'no error'),
      )
      expect(['result', 'rpc-error', 'Failure']).toContain(seen)
    }),
    { numRuns: 100 },
  )
})
