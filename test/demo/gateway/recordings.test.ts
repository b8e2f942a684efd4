import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { request, type Dispatcher } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { makeCertificate } from '../../../src/demo/gateway/certificate.ts'
import type { DemoRoute } from '../../../src/demo/gateway/exchange.ts'
import { startDemoGateway, type DemoGateway } from '../../../src/demo/gateway/gateway.ts'
import { createDispatcher } from '../../../src/pomerium/dispatcher.ts'
import { freePort } from '../../support/net/listen.ts'
import { parseJson, recordedCases, type RecordedCase } from '../../support/gateway/recordings.ts'
import { startRecordedUpstream, type RecordedUpstream } from '../../support/gateway/recorded-upstream.ts'

/** Cases that say nothing about the stand-in, with the reason. */
const NOT_REPLAYED: Record<string, string> = {
  'upstream-slowsse35': 'takes 35 s to show that the gateway has no time-out; the stand-in has no clock at all',
  'upstream-slow35': 'the same, without a byte',
  'upstream-hang': 'the upstream never answered, so there is nothing to compare',
}

const replayed = recordedCases.filter(({ name }) => !Object.hasOwn(NOT_REPLAYED, name))

const ORIGIN = (name: string) => `https://${name}.localhost.pomerium.io:8443`

/** The routes of the recorded gateway. `closed` is an address where nobody listens. */
function recordedRoutes(upstream: string, closed: string): DemoRoute[] {
  const reports = { allowUsers: ['svc-reports'] }
  const noSql = { ...reports, denyTool: 'execute_sql' }
  const mcp = (name: string, host: string, extra: Partial<DemoRoute> = {}): DemoRoute => ({
    name,
    from: ORIGIN(host),
    to: upstream,
    kind: 'mcp-server',
    path: '/mcp',
    policy: reports,
    ...extra,
  })
  const { path: _, ...down } = mcp('down', 'down', { to: closed })
  const { path: __, ...oauth } = mcp('needs-consent', 'oauth', {
    description: 'Upstream needs its own OAuth consent',
    upstreamOAuth: { authorizationUrl: 'http://127.0.0.1:3998/authorize' },
  })
  return [
    mcp('dbhub', 'dbhub', { policy: noSql }),
    mcp('dbhub-big', 'big', { policy: noSql, maxRequestBytes: 1_048_576 }),
    mcp('deny-all', 'deny', { policy: { allowUsers: ['svc-nobody'] } }),
    mcp('allow-tool-only', 'allowtool', { policy: { allowTool: 'search_objects' } }),
    mcp('everything', 'everything', { description: 'Everything server' }),
    mcp('faults', 'faults'),
    mcp('echo', 'echo'),
    down,
    oauth,
    { name: 'client', from: ORIGIN('client'), to: upstream, kind: 'mcp-client', policy: reports },
    { name: 'nightshift', from: ORIGIN('nightshift'), to: upstream, kind: 'plain', passIdentityHeaders: true, policy: reports },
  ]
}

const stack = new AsyncDisposableStack()
let upstream: RecordedUpstream
let gateway: DemoGateway
let dispatcher: Dispatcher
let logFile: string
/** Tokens by the name that stands for them in the recordings. */
let tokens: Record<string, string>

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-recordings-'))
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  upstream = stack.use(await startRecordedUpstream())
  const tls = await makeCertificate(['*.localhost.pomerium.io'])
  const caFile = join(dir, 'ca.pem')
  writeFileSync(caFile, tls.cert)
  logFile = join(dir, 'pomerium.log')
  const routes = recordedRoutes(upstream.url, `http://127.0.0.1:${await freePort()}`)
  gateway = stack.use(await startDemoGateway({ tls, logFile, routes }))
  dispatcher = createDispatcher({ address: gateway.address, caFile })
  stack.defer(() => dispatcher.close())
  tokens = await makeTokens(gateway)
})

afterAll(() => stack.disposeAsync())

async function makeTokens({ accounts }: DemoGateway): Promise<Record<string, string>> {
  const reports = await accounts.create({ userId: 'svc-reports' })
  const other = await accounts.create({ userId: 'svc-other' })
  const expired = await accounts.create({ userId: 'svc-reports', expiresAt: new Date(0) })
  const deleted = await accounts.create({ userId: 'svc-reports' })
  accounts.delete(deleted.id)
  const forged = await new SignJWT(decodeJwt(reports.jwt)).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.alloc(32, 'x'))
  return { 'svc-reports': reports.jwt, 'svc-other': other.jwt, expired: expired.jwt, deleted: deleted.jwt, forged }
}

test('each recorded case is replayed or has a reason not to be', () => {
  expect(recordedCases.length).toBeGreaterThan(60)
  expect(replayed).toHaveLength(recordedCases.length - Object.keys(NOT_REPLAYED).length)
})

test.for(replayed)('$name: the stand-in answers and logs as Pomerium did', async (recorded) => {
  const { status, headers, body } = recorded.response ?? { status: 0, headers: {}, body: '' }
  const actual = await replay(recorded)
  expect(actual).toEqual({
    status,
    headers: comparableHeaders(recorded, headers),
    body: comparableBody(body),
    brokeOff: recorded.error === 'ECONNRESET',
    log: (recorded.authorizeLog ?? []).map(comparableLine),
  })
})

/** Sends a recorded request to the stand-in and returns the comparable part of what came of it. */
async function replay(recorded: RecordedCase) {
  const { method, url, headers, body } = recorded.request
  const filled = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    value.replace(/<jwt:([\w-]+)>/, (_, token: string) => tokens[token] ?? ''),
  ])
  const answer = await request(url, { dispatcher, method, headers: Object.fromEntries(filled), body: body ?? null })
  const { text, brokeOff } = await readBody(recorded, answer.body)
  const requestId = String(answer.headers['x-request-id'])
  const lines = await linesOf(requestId)
  expect(requestId).toMatch(headers['x-request-id'] ?? UUID)
  for (const line of lines) expect(line['check-request-id']).toBe(requestId)
  return {
    status: answer.statusCode,
    headers: comparableHeaders(recorded, answer.headers),
    body: comparableBody(text),
    brokeOff,
    log: lines.map(comparableLine),
  }
}

async function readBody({ error, response }: RecordedCase, body: Dispatcher.ResponseData['body']) {
  let text = ''
  // A stream on which nothing came was left open by the server: the recording client went away.
  if (error !== undefined && response?.body === '') {
    body.on('error', () => {}).destroy()
    return { text, brokeOff: true }
  }
  try {
    for await (const chunk of body) {
      text += String(chunk)
      if (error !== undefined) upstream.breakOff()
    }
    return { text, brokeOff: false }
  } catch {
    return { text, brokeOff: true }
  }
}

async function linesOf(requestId: string): Promise<Record<string, unknown>[]> {
  await gateway.flushLog()
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))
    .filter((line) => line['request-id'] === requestId)
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Texts that are others each time get the name of what they are. */
function steady(text: string): string {
  let named = text.replaceAll(UUID, '<id>')
  for (const [name, jwt] of Object.entries(tokens)) named = named.replaceAll(jwt, `<jwt:${name}>`)
  return named.replaceAll(/\bpom_mat_\w+/g, '<mcp-access-token>').replaceAll(/^127\.0\.0\.1:\d+$/g, '<upstream>')
}

const COMPARED_HEADERS = new Set(recordedCases.flatMap(({ response }) => Object.keys(response?.headers ?? {})))

/** A length that follows from keys or addresses, or was taken of a page that is not ours to copy, is any length. */
function isSteadyLength({ name, response }: RecordedCase): boolean {
  const { headers = {}, body = '' } = response ?? {}
  return Number(headers['content-length']) === Buffer.byteLength(body) && name !== 'jwks' && name !== 'upstream-headers'
}

function comparableHeaders(recorded: RecordedCase, headers: Record<string, string | string[] | undefined>): Record<string, unknown> {
  const compared = Object.entries(headers).filter(([name, value]) => COMPARED_HEADERS.has(name) && value !== undefined)
  return Object.fromEntries(
    compared.map(([name, value]) => {
      const text = String(value)
      if (name === 'location') return [name, comparableLocation(text)]
      if (name === 'x-envoy-upstream-service-time') return [name, text.replace(/^\d+$/, '<ms>')]
      if (name === 'content-length' && !isSteadyLength(recorded)) return [name, text.replace(/^\d+$/, '<bytes>')]
      return [name, steady(text)]
    }),
  )
}

/** Where a redirect leads, and what it takes along. */
function comparableLocation(location: string) {
  const { origin, pathname, searchParams } = new URL(location)
  const changing = /state|challenge$|signature|traceparent|issued|expiry|idp_id|client_id/
  const parameters = [...searchParams].map(([name, value]) => [name, changing.test(name) ? '<any>' : value])
  return { address: `${origin}${pathname}`, parameters: Object.fromEntries(parameters) as unknown }
}

function comparableBody(body: string): unknown {
  // The gateway's pages are its own; what counts is that there is one.
  if (body.startsWith('<')) return body.slice(0, body.indexOf(' '))
  const json = parseJson(body)
  return json === undefined ? steady(body) : comparable(json)
}

/** A value with everything in it that changes from one time to the next taken out. */
function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item))
    // The route list has no stable order.
    return key === 'servers' ? items.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))) : items
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparable(inner, name)]))
  }
  if (typeof value !== 'string') return value
  if (key === 'x-pomerium-jwt-assertion') return comparableAssertion(value)
  if (key === 'x-forwarded-for' || key === 'kid' || key === 'x' || key === 'y') return `<${key}>`
  const nested = value.startsWith('{') ? parseJson(value) : undefined
  return nested === undefined ? steady(value) : comparable(nested)
}

function comparableAssertion(jwt: string): unknown {
  const { alg, typ } = decodeProtectedHeader(jwt)
  const { iat = 0, exp = 0, ...claims } = decodeJwt(jwt)
  return { alg, typ, lifetime: exp - iat, claims: comparable(claims) }
}

function comparableLine(line: Record<string, unknown>): unknown {
  const time = String(line['time']).replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '<time>')
  return comparable({ ...line, time })
}
