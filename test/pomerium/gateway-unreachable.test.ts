import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { UnsecuredJWT } from 'jose'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeFailure, Failure } from '../../src/core/failure.ts'
import { isNotRun } from '../../src/core/ports/gateway.ts'
import { makeCertificate } from '../../src/demo/gateway/certificate.ts'
import { startDemoGateway } from '../../src/demo/gateway/gateway.ts'
import { createDispatcher, type DispatcherOptions } from '../../src/pomerium/dispatcher.ts'
import { createGatewayFetch } from '../../src/pomerium/fetch.ts'
import { listRoutes } from '../../src/pomerium/routes.ts'
import { createTokenSource } from '../../src/pomerium/token.ts'
import { freePort, listen } from '../support/net/listen.ts'
import { createRecordingJournal } from '../support/gateway/recording-journal.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-gateway-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const certificate = await makeCertificate(['*.example.test'])
const caFile = join(dir, 'ca.pem')
writeFileSync(caFile, certificate.cert)

const TOKEN = new UnsecuredJWT({ jti: 'account-1' }).encode()
const LIST = JSON.stringify({ servers: [{ name: 'hr', url: 'https://hr.example.test/mcp', connected: true }] })

/** Listens on a port of this machine until the test is over. */
async function listenInTest(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  return listen(server)
}

interface Asking extends DispatcherOptions {
  url: string
  token?: string
  maxResponseBytes?: number
}

function open({ url, token = TOKEN, maxResponseBytes = 10_000, ...options }: Asking) {
  const dispatcher = createDispatcher(options)
  onTestFinished(() => dispatcher.destroy())
  const journal = createRecordingJournal()
  const tokens = createTokenSource({ account: 'reports', token })
  const fetch = createGatewayFetch({
    dispatcher,
    account: 'reports',
    tokens,
    runId: 'run_1',
    journal,
    maxResponseBytes,
    redact: (text) => text,
  })
  const list = (signal?: AbortSignal) =>
    listRoutes({ fetch, gatewayUrl: url, routeHosts: ['*'], account: 'reports', redact: (text) => text, signal }).then(
      ({ routes }) => routes,
    )
  return { fetch, journal, list }
}

/** Asks for the route list; what came of it and what was written down. */
async function ask(asking: Asking) {
  const { list, journal } = open(asking)
  const result: unknown = await list().catch((error: unknown) => error)
  return { result, journal, message: result instanceof Failure ? describeFailure(result).replaceAll(/:\d{4,5}\b/g, ':PORT') : 'no failure' }
}

const serve = async (handle: RequestListener) => `http://127.0.0.1:${await listenInTest(createServer(handle))}`

describe('a gateway that cannot be reached', () => {
  test('refuses connections: time can heal it, and nothing ran', async () => {
    const { result, message, journal } = await ask({ url: `http://127.0.0.1:${await freePort()}` })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'later' })
    expect(isNotRun(result)).toBe(true)
    expect(message).toMatchInlineSnapshot(
      `"No answer from 127.0.0.1:PORT: connect ECONNREFUSED 127.0.0.1:PORT. Check gateway.url, gateway.address, gateway.caFile and the network."`,
    )
    expect(journal.requestEnds).toMatchObject([{ requestId: null, status: null, responseBytes: null, error: 'ECONNREFUSED' }])
    expect(journal.requests.map(({ requestIdSent }) => requestIdSent)).toEqual(
      journal.requestEnds.map(({ requestIdSent }) => requestIdSent),
    )
  })

  test('has a name that does not resolve', async () => {
    const { result, message } = await ask({ url: 'http://gateway.invalid' })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'later' })
    expect(isNotRun(result)).toBe(true)
    expect(message).toMatch(/^No answer from gateway\.invalid: getaddrinfo (ENOTFOUND|EAI_AGAIN) gateway\.invalid\. Check gateway\.url/)
  })

  test('ends the connection without an answer', async () => {
    const url = `http://127.0.0.1:${await listenInTest(createTcpServer((socket) => socket.once('data', () => socket.destroy())))}`
    const { result, message } = await ask({ url })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'later' })
    expect(isNotRun(result)).toBe(false)
    expect(message).toMatch(/^No answer from 127\.0\.0\.1:PORT: /)
  })

  test('speaks another protocol', async () => {
    const url = `http://127.0.0.1:${await listenInTest(createTcpServer((socket) => socket.write('SSH-2.0-OpenSSH_9\r\n').toString()))}`
    const { result, message } = await ask({ url })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    expect(message).toMatchInlineSnapshot(
      `"No answer from 127.0.0.1:PORT: Response does not match the HTTP/1.1 protocol (Expected HTTP/, RTSP/ or ICE/). Check gateway.url, gateway.address, gateway.caFile and the network."`,
    )
  })
})

describe('TLS', () => {
  const answer: RequestListener = (_, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(LIST)

  test('with a certificate of an unknown CA is never retried, and no request was sent', async () => {
    let requests = 0
    const port = await listenInTest(createTlsServer(certificate, () => requests++))
    const { result, message } = await ask({ url: `https://hr.example.test:${port}`, address: `127.0.0.1:${port}` })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'never' })
    expect(isNotRun(result)).toBe(true)
    expect(message).toMatchInlineSnapshot(
      `"The certificate of hr.example.test:PORT is not trusted, or it does not speak TLS (SELF_SIGNED_CERT_IN_CHAIN). Name the CA in gateway.caFile, or correct gateway.url."`,
    )
    expect(requests).toBe(0)
  })

  test('with a certificate for another name is never retried', async () => {
    const port = await listenInTest(createTlsServer(certificate, answer))
    const { result, message } = await ask({ url: `https://other.test:${port}`, address: `127.0.0.1:${port}`, caFile })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'never' })
    expect(message).toMatchInlineSnapshot(
      `"The certificate of other.test:PORT is not trusted, or it does not speak TLS (ERR_TLS_CERT_ALTNAME_INVALID). Name the CA in gateway.caFile, or correct gateway.url."`,
    )
  })

  test('is expected and plain HTTP is spoken', async () => {
    const port = await listenInTest(createServer(answer))
    const { result, message } = await ask({ url: `https://127.0.0.1:${port}` })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'never' })
    expect(message).toMatchInlineSnapshot(
      `"The certificate of 127.0.0.1:PORT is not trusted, or it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER). Name the CA in gateway.caFile, or correct gateway.url."`,
    )
  })

  test('is spoken and plain HTTP is expected', async () => {
    const port = await listenInTest(createTlsServer(certificate, answer))
    const { result, message } = await ask({ url: `http://127.0.0.1:${port}` })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    expect(message).toMatch(/^No answer from 127\.0\.0\.1:PORT: /)
  })

  test.each([
    ['is not there', '/nowhere/ca.pem', 'gateway.caFile /nowhere/ca.pem cannot be used: ENOENT: no such file or directory'],
    ['holds no certificate', import.meta.filename.replace('gateway-unreachable', 'token'), 'cannot be used: it holds no PEM certificate'],
  ])('with a CA file that %s is a fault of the configuration', (_, file, why) => {
    expect(() => createDispatcher({ caFile: file })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(why) }),
    )
  })

  test('with a CA file that was replaced goes by the new one, and by the one before while the new one cannot be used', async () => {
    const rotated = join(dir, 'rotated.pem')
    writeFileSync(rotated, (await makeCertificate(['*.example.test'])).cert)
    const address = `127.0.0.1:${await listenInTest(createTlsServer(certificate, answer))}`
    const { list } = open({ url: 'https://hr.example.test', address, caFile: rotated })
    const again = () => list().catch((error: unknown) => error)
    expect(await again()).toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    writeFileSync(rotated, certificate.cert)
    expect(await again()).toBeInstanceOf(Map)
    for (const harm of [() => writeFileSync(rotated, 'half'), () => rmSync(rotated)]) {
      harm()
      expect(await again()).toBeInstanceOf(Map)
    }
  })

  test('to gateway.address keeps the route’s name in the Host header and in TLS', async () => {
    const seen: unknown[] = []
    const server = createTlsServer(certificate, (req, res) => {
      seen.push({ host: req.headers.host, sni: req.socket instanceof TLSSocket && req.socket.servername, path: req.url })
      answer(req, res)
    })
    const address = `127.0.0.1:${await listenInTest(server)}`
    const { result, journal } = await ask({ url: 'https://hr.example.test', address, caFile })
    expect(result).toEqual(new Map([['hr', { name: 'hr', url: 'https://hr.example.test/mcp', connected: true }]]))
    expect(seen).toEqual([{ host: 'hr.example.test', sni: 'hr.example.test', path: '/.pomerium/mcp/routes' }])
    expect(journal.requests).toMatchObject([
      { host: 'hr.example.test', path: '/.pomerium/mcp/routes', method: 'GET', accountId: 'account-1' },
    ])
  })

  test('to gateway.address keeps them apart for each route', async () => {
    const seen: unknown[] = []
    const server = createTlsServer(certificate, (req, res) => {
      seen.push([req.headers.host, req.socket instanceof TLSSocket && req.socket.servername])
      answer(req, res)
    })
    const { fetch } = open({ url: 'https://hr.example.test', address: `127.0.0.1:${await listenInTest(server)}`, caFile })
    for (const host of ['hr.example.test', 'crm.example.test:8443', 'hr.example.test'])
      await (await fetch(`https://${host}/mcp`, {})).text()
    expect(seen).toEqual([
      ['hr.example.test', 'hr.example.test'],
      ['crm.example.test:8443', 'crm.example.test'],
      ['hr.example.test', 'hr.example.test'],
    ])
  })
})

describe('a server that is not Pomerium', () => {
  test.each([
    ['HTML', 200, '<html>Welcome</html>', 'the route list is not the JSON that was expected', 'never'],
    ['nothing', 200, '', 'the route list is not the JSON that was expected', 'never'],
    ['JSON of another shape', 200, '{"routes":[]}', 'the route list is not the JSON that was expected', 'never'],
    ['servers that are no list', 200, '{"servers":{}}', 'the route list is not the JSON that was expected', 'never'],
    ['a server without a name', 200, '{"servers":[{"url":"http://a"}]}', 'the route list is not the JSON that was expected', 'never'],
    ['null', 200, 'null', 'the route list is not the JSON that was expected', 'never'],
    ['no content', 204, '', 'the route list is HTTP 204', 'never'],
    ['a page that is not there', 404, '<html>Not Found</html>', 'the route list is HTTP 404', 'never'],
    ['another 403', 403, 'Forbidden', 'the route list is HTTP 403', 'never'],
    ['a fault of its own', 500, 'Oops', 'the route list is HTTP 500', 'later'],
    ['a proxy that waits for its upstream', 502, 'Bad Gateway', 'the route list is HTTP 502', 'later'],
  ])('answers with %s (HTTP %d)', async (_title, status, body, why, retry) => {
    const url = await serve((_, res) => void res.writeHead(status, { 'x-request-id': 'its-id' }).end(body))
    const { result, journal } = await ask({ url })
    expect(result).toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      retry,
      requestId: 'its-id',
      message: `${url} does not answer like Pomerium: ${why}.`,
      cure: 'Check gateway.url and gateway.address.',
    })
    expect(journal.requestEnds).toMatchObject([{ status, requestId: 'its-id', error: null }])
  })

  test.each([301, 302, 303, 307, 308])(
    'redirects with HTTP %d: the redirect is not followed, and the token goes nowhere else',
    async (status) => {
      let followed = 0
      const elsewhere = await serve((_, res) => {
        followed++
        res.end(LIST)
      })
      const url = await serve((_, res) => void res.writeHead(status, { location: `${elsewhere}/.pomerium/mcp/routes` }).end())
      const { result } = await ask({ url })
      expect(result).toMatchObject({
        code: 'GATEWAY_UNREACHABLE',
        retry: 'never',
        message: expect.stringContaining(`the route list is HTTP ${status}`),
      })
      expect(followed).toBe(0)
    },
  )

  test('lists routes that would take the token elsewhere: those are not used', async () => {
    const urls = ['https://a.test/mcp', 'http://a.test/mcp', 'ftp://a.test/mcp', 'file:///etc/passwd', 'nowhere', 'javascript:alert(1)', '']
    const list = JSON.stringify({ servers: urls.map((url, at) => ({ name: `s${at}`, url })) })
    const secure = await listenInTest(createTlsServer(certificate, (_, res) => void res.end(list)))
    const names = (result: unknown) => (result instanceof Map ? [...result.keys()] : result)
    expect(names((await ask({ url: 'https://hr.example.test', address: `127.0.0.1:${secure}`, caFile })).result)).toEqual(['s0'])
    expect(names((await ask({ url: await serve((_, res) => void res.end(list)) })).result)).toEqual(['s0', 's1'])
  })
})

describe('an answer', () => {
  const large = JSON.stringify({ servers: [], padding: 'x'.repeat(20_000) })

  test.each([
    ['says its length', { 'content-length': String(large.length) }, large],
    ['does not say its length', {}, large],
    ['is small until it is unpacked', { 'content-encoding': 'gzip', 'content-length': String(gzipSync(large).length) }, gzipSync(large)],
  ])('larger than the cap that %s is RESULT_TOO_LARGE', async (_title, headers, body) => {
    const url = await serve((_, res) => {
      res.writeHead(200, headers).write(body)
      res.end()
    })
    const { result, message } = await ask({ url, maxResponseBytes: 10_000 })
    expect(result).toMatchObject({ code: 'RESULT_TOO_LARGE' })
    expect(message).toContain('An answer of 127.0.0.1:PORT is larger than 10000 bytes.')
    expect((await ask({ url, maxResponseBytes: large.length })).result).toEqual(new Map())
  })

  test('that breaks off is a gateway that cannot be reached, not a fault of ours', async () => {
    const url = await serve((_, res) => {
      res.writeHead(200, { 'x-request-id': 'its-id' }).write(LIST.slice(0, 20))
      setImmediate(() => res.destroy())
    })
    const { result, message } = await ask({ url })
    expect(result).toMatchObject({ code: 'GATEWAY_UNREACHABLE', retry: 'later', requestId: 'its-id' })
    expect(message).toContain('The route list of http://127.0.0.1:PORT broke off: ')
  })

  test('that is no longer waited for ends with the reason of the signal', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const url = await serve((_, res) => {
      res.writeHead(200).write('{')
      abort.abort(reason)
    })
    await expect(open({ url }).list(abort.signal)).rejects.toBe(reason)
  })

  test('of 401 is TOKEN_REJECTED, with the id under which Pomerium logged it', async () => {
    const url = await serve((_, res) => void res.writeHead(401, { 'x-request-id': 'its-id' }).end('{"error":"Unauthenticated"}'))
    const { result, message } = await ask({ url })
    expect(result).toMatchObject({ code: 'TOKEN_REJECTED', retry: 'later', requestId: 'its-id' })
    expect(message).toMatchInlineSnapshot(
      `"Pomerium rejected the token of account reports (request its-id). Put a valid token where the account has it: its tokenFile, which is re-read at once, or its token in the configuration."`,
    )
    expect(message).not.toContain(TOKEN)
  })
})

describe('request ids', () => {
  test.each([
    [false, 'keeps', 'is'],
    [true, 'replaces', 'is not'],
  ])('replaceRequestIds %j: a gateway that %s them gives back one that %s ours, and that one is recorded', async (replaceRequestIds) => {
    const logFile = join(dir, `pomerium-${replaceRequestIds}.log`)
    await using gateway = await startDemoGateway({
      logFile,
      replaceRequestIds,
      routes: [
        { name: 'hr', from: 'http://hr.example.test', to: 'http://127.0.0.1:1', kind: 'mcp-server', policy: { allowUsers: ['svc'] } },
      ],
    })
    const { jwt } = await gateway.accounts.create({ userId: 'svc' })
    const { result, journal } = await ask({ url: 'http://hr.example.test', address: gateway.address, token: jwt })
    expect(result).toBeInstanceOf(Map)
    const [sent, returned] = [journal.requests[0]?.requestIdSent, journal.requestEnds[0]?.requestId]
    expect(sent).toMatch(/^[0-9a-f-]{36}$/)
    expect(returned).toMatch(/^[0-9a-f-]{36}$/)
    expect(returned === sent).toBe(!replaceRequestIds)
  })

  test.each(['x'.repeat(129), 'a b', '<script>', '', 'a\u00e9'])(
    'an id that is none (%j) is not taken into rows and messages',
    async (id) => {
      const url = await serve((_, res) => void res.writeHead(401, { 'x-request-id': id }).end())
      const { journal } = await ask({ url })
      expect(journal.requestEnds).toMatchObject([{ status: 401, requestId: null }])
    },
  )
})
