import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from 'undici'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from '../../../../src/demo/gateway/certificate.ts'
import { codesOf, isNeverConnected } from '../../../../src/lib/net/connection-error.ts'
import { fetchLean } from '../../../../src/lib/net/http.ts'
import { createConnector, type WayOptions } from '../../../../src/lib/net/way/connector.ts'
import { proxyAt, proxyingOf } from '../../../../src/lib/net/way/proxy.ts'
import { startConnectProxy } from '../../../support/net/connect-proxy.ts'
import { freePort, listen, serveHttp } from '../../../support/net/listen.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-way-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const certificate = await makeCertificate(['*.example.test', 'localhost'])
const caFile = join(dir, 'ca.pem')
writeFileSync(caFile, certificate.cert)

/** A server that says how it was asked. */
const serve = () => serveHttp((req, res) => res.end(`${req.method} ${req.headers.host} ${req.headers.authorization ?? '-'}`))

async function serveTls(): Promise<number> {
  const server: Server = createTlsServer(certificate, (req, res) => res.end(`secure ${req.headers.host}`))
  onTestFinished(() => new Promise((done) => void server.close(() => done())))
  return listen(server)
}

/** Asks by a way; the text of the answer. */
async function ask(url: string, way: WayOptions): Promise<string> {
  const dispatcher = new Agent({ connect: createConnector(way) })
  onTestFinished(() => dispatcher.destroy())
  const signal = AbortSignal.timeout(30_000)
  const answer = await fetchLean(url, { dispatcher, signal, headers: { authorization: 'Bearer canary' } })
  return answer.text()
}

const failure = (url: string, way: WayOptions) =>
  ask(url, way).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : undefined),
  )

const reasonOf = (error: Error | undefined) => (error?.cause instanceof Error ? error.cause.message.replaceAll(/:\d{4,5}\b/g, ':PORT') : '')

describe('a request through a proxy', () => {
  test('comes to a server as it would without one, and the proxy sees none of it', async () => {
    await using server = await serve()
    await using proxy = await startConnectProxy()
    expect(await ask(server.url, { proxy: proxyAt(proxy.url) })).toBe(`GET 127.0.0.1:${server.port} Bearer canary`)
    expect(proxy.asked).toEqual([`127.0.0.1:${server.port}`])
    expect(proxy.seen.join()).not.toContain('canary')
  })

  test('comes to a server with TLS, whose name the proxy looks up and whose certificate is checked', async () => {
    const port = await serveTls()
    await using proxy = await startConnectProxy({ leadsTo: port })
    expect(await ask('https://api.example.test', { proxy: proxyAt(proxy.url), caFile })).toBe('secure api.example.test')
    expect(proxy.asked).toEqual(['api.example.test:443'])
    const error = await failure('https://api.other.test', { proxy: proxyAt(proxy.url), caFile })
    expect(codesOf(error)).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(codesOf(await failure('https://api.example.test', { proxy: proxyAt(proxy.url) }))).toContain('SELF_SIGNED_CERT_IN_CHAIN')
  })

  test('is told who asks, over TLS too', async () => {
    await using server = await serve()
    const user = { name: 'tom', password: 'p@ss/wörd' }
    await using proxy = await startConnectProxy({ user, tls: certificate })
    expect(await ask(server.url, { proxy: proxyAt(proxy.url), caFile })).toContain('GET')
    // A proxy that nobody vouches for is told nothing.
    const error = await failure(server.url, { proxy: proxyAt(proxy.url) })
    expect(reasonOf(error)).toMatch(/^the proxy localhost:PORT cannot be gone through: self-signed certificate/)
    expect(isNeverConnected(error)).toBe(true)
  })

  test('uses a tunnel for many requests, and opens several at once', async () => {
    await using server = await serve()
    await using proxy = await startConnectProxy()
    const dispatcher = new Agent({ connections: 3, connect: createConnector({ proxy: proxyAt(proxy.url) }) })
    const signal = AbortSignal.timeout(30_000)
    const answers = Array.from({ length: 30 }, async () => (await fetchLean(server.url, { dispatcher, signal })).text())
    expect(new Set(await Promise.all(answers)).size).toBe(1)
    expect(proxy.asked.length).toBeLessThanOrEqual(3)
    await dispatcher.destroy()
  })

  test('goes straight where the environment says so', async () => {
    await using server = await serve()
    await using proxy = await startConnectProxy()
    const way = { proxy: proxyingOf({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' }) }
    expect(await ask(server.url, way)).toContain('GET')
    expect(proxy.asked).toEqual([])
  })
})

describe('a proxy that gives no tunnel is named, and nothing was sent', () => {
  test.each<[what: string, status: number, reason: string]>([
    [
      'refuses the user',
      407,
      'the proxy 127.0.0.1:PORT answers with 407 to whoever wants to reach 127.0.0.1:PORT: it wants another user or password',
    ],
    [
      'does not allow the server',
      403,
      'the proxy 127.0.0.1:PORT answers with 403 to whoever wants to reach 127.0.0.1:PORT: it does not allow that',
    ],
    ['does not reach the server', 502, 'the proxy 127.0.0.1:PORT answers with 502 to whoever wants to reach 127.0.0.1:PORT'],
  ])('that %s', async (_, status, reason) => {
    await using server = await serve()
    await using proxy = await startConnectProxy({ status })
    const error = await failure(server.url, { proxy: proxyAt(proxy.url.replace('//', '//tom:canary-of-proxy@')) })
    expect(reasonOf(error)).toBe(reason)
    expect(isNeverConnected(error)).toBe(true)
  })

  test('that is not there', async () => {
    const error = await failure('http://127.0.0.1:9', { proxy: proxyAt(`http://tom:canary@127.0.0.1:${await freePort()}`) })
    expect(reasonOf(error)).toBe('the proxy 127.0.0.1:PORT cannot be gone through: connect ECONNREFUSED 127.0.0.1:PORT')
    expect(isNeverConnected(error)).toBe(true)
  })

  test('that says nothing', async () => {
    await using proxy = await startConnectProxy({ status: 0 })
    const error = await failure('http://127.0.0.1:9', { proxy: proxyAt(proxy.url), timeoutMs: 50 })
    expect(reasonOf(error)).toMatch(/^the proxy 127\.0\.0\.1:PORT cannot be gone through: /)
    expect(isNeverConnected(error)).toBe(true)
  })
})

test('a tunnel that breaks within an answer is no failure to connect: the request may have been done', async () => {
  await using proxy = await startConnectProxy()
  await using server = await serveHttp(() => proxy.cut())
  const error = await failure(server.url, { proxy: proxyAt(proxy.url) })
  expect(error).toBeDefined()
  expect(isNeverConnected(error)).toBe(false)
})
