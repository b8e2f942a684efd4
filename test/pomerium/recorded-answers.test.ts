import type { IncomingMessage } from 'node:http'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { isNotRun, SessionLost, type GatewayFetch, type McpContext } from '../../src/core/ports/gateway.ts'
import { createDispatcher } from '../../src/pomerium/dispatcher.ts'
import { createGatewayFetch } from '../../src/pomerium/fetch.ts'
import { listRoutes } from '../../src/pomerium/routes.ts'
import { createTokenSource, type TokenSource } from '../../src/pomerium/token.ts'
import { ROUTES_PATH } from '../../src/pomerium/unauthorized.ts'
import { recordedCases, recordedRpc, type RecordedCase } from '../support/gateway/recordings.ts'
import { sendRecorded } from '../support/gateway/recorded-upstream.ts'
import { createRecordingJournal } from '../support/gateway/recording-journal.ts'
import { serveHttp } from '../support/net/listen.ts'
import type { Journal } from '../../src/core/ports/journal.ts'

/** What our code makes of each recorded answer: the status it was passed on with, or the failure, its retry, and whether the request can have run. */
const EXPECTED: Record<string, string> = {
  'no-token-mcp': 'TOKEN_REJECTED, later, not run',
  'garbage-token': 'TOKEN_REJECTED, later, not run',
  'forged-token': 'TOKEN_REJECTED, later, not run',
  'deleted-account': 'TOKEN_REJECTED, later, not run',
  'expired-token': 'TOKEN_REJECTED, later, not run',
  'no-token-routes-json': 'TOKEN_REJECTED, later, not run',
  'deleted-account-routes': 'TOKEN_REJECTED, later, not run',
  'expired-token-routes': 'TOKEN_REJECTED, later, not run',
  'no-token-routes': 'GATEWAY_UNREACHABLE, never, may have run',
  routes: '9 routes',
  'routes-client-host': '9 routes',
  'routes-plain-host': '9 routes',
  'routes-authenticate-host': '9 routes',
  'routes-other-account': '9 routes',
  'routes-pomerium-scheme': '9 routes',
  'routes-x-header': '9 routes',
  'unknown-host': 'ROUTE_UNKNOWN, never, not run',
  'denied-tool': 'TOOL_DENIED, never, not run',
  'denied-allow-tool': 'TOOL_DENIED, never, not run',
  'denied-route': 'ROUTE_DENIED, never, not run',
  'denied-route-notification': 'ROUTE_DENIED, never, not run',
  'denied-allow-tool-list': 'ROUTE_DENIED, never, not run',
  // A session never sends such a body; to the gateway’s fetch it looks like a missing consent.
  'big-body-allow-tool': 'CONNECTION_REQUIRED, after-connection, not run',
  'client-response': 'UPSTREAM_ERROR, never, not run',
  'invalid-json': 'UPSTREAM_ERROR, never, not run',
  'upstream-down': 'UPSTREAM_UNAVAILABLE, later, not run',
  // The upstream had each of these calls, whatever it says.
  'consent-s401': 'OUTCOME_UNKNOWN, never, may have run',
  'session-gone': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s403': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s404': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s429': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-reset': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s401': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s500': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-s503': 'OUTCOME_UNKNOWN, never, may have run',
  'upstream-hang': 'DEADLINE, never, may have run',
  'upstream-halfsse': '200, broken off',
  'get-stream': '200, left open',
  'get-405': '405',
  'no-token-mcp-get': '401',
  'denied-route-get': '401',
  'consent-connect': '302',
  'initialized-notification': '202',
  'initialize-json': '200',
  'initialize-sse': '200',
  'tools-list-json': '200',
  'tools-call-json': '200',
  'tools-call-sse': '200',
  'tools-call-iserror': '200',
  'tools-call-unknown-tool': '200',
  'session-delete': '200',
  'big-body-small-limit': '200',
  'big-body-large-limit': '200',
  batch: '200',
  'own-request-id': '200',
  'upstream-headers': '200',
  'consent-initialize': '200',
  'client-route': '200',
  assertion: '200',
  jwks: '200',
  prm: '200',
  'upstream-slowsse35': '200',
  'upstream-slow35': '200',
}

/** What it makes of those among them whose call may be made twice: there the upstream is believed. */
const OF_REPEATABLE: Record<string, string> = {
  'consent-s401': 'CONNECTION_REQUIRED, after-connection, not run',
  'session-gone': 'session lost',
  'upstream-s403': 'UPSTREAM_ERROR, never, not run',
  'upstream-s404': 'UPSTREAM_ERROR, never, not run',
  'upstream-s429': 'UPSTREAM_UNAVAILABLE, later after 7000 ms, not run',
  'upstream-reset': 'UPSTREAM_UNAVAILABLE, later, may have run',
  'upstream-s401': 'UPSTREAM_UNAVAILABLE, later, may have run',
  'upstream-s500': 'UPSTREAM_UNAVAILABLE, later, may have run',
  'upstream-s503': 'UPSTREAM_UNAVAILABLE, later after 3000 ms, may have run',
  'upstream-down': 'UPSTREAM_UNAVAILABLE, later, not run',
  'denied-tool': 'TOOL_DENIED, never, not run',
}

const caseOf = (name: string): RecordedCase => {
  const found = recordedCases.find((one) => one.name === name)
  if (!found) throw new Error(`no recording ${name}`)
  return found
}

const WITH_BAD_TOKEN = /^(no-token|garbage-token|forged-token|deleted-account|expired-token)/
const RUN_ID = '0199a3c4-0000-7000-8000-000000000001'

const stack = new AsyncDisposableStack()
const dispatcher = createDispatcher({})
let origin: string
let tokens: TokenSource
/** The case that the server answers, and the headers of what it was sent. */
let current: RecordedCase
let received: IncomingMessage['headers'][]
let arrived: () => void
let breakOff: () => void

beforeAll(async () => {
  const server = await serveHttp((req, res) => {
    received.push(req.headers)
    const isCheck = req.url === ROUTES_PATH && !current.request.url.endsWith(ROUTES_PATH)
    const list = caseOf(WITH_BAD_TOKEN.test(current.name) ? 'no-token-routes-json' : 'routes').response
    const answer = isCheck ? list : current.response
    breakOff = () => void res.socket?.destroy()
    if (answer) sendRecorded(res, answer, !isCheck && current.error !== undefined)
    arrived()
  })
  origin = server.url
  stack.defer(async () => {
    await dispatcher.destroy()
    await server.close()
  })
  const jwt = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setJti('account-id').sign(Buffer.alloc(32, 'x'))
  tokens = createTokenSource({ account: 'reports', token: jwt })
})

afterAll(() => stack.disposeAsync())

const openFetch = (journal: Journal) =>
  createGatewayFetch({
    dispatcher,
    account: 'reports',
    tokens,
    runId: RUN_ID,
    journal,
    maxResponseBytes: 1_000_000,
    redact: (text) => text,
  })

test('each recorded case has an expectation', () => {
  expect(Object.keys(EXPECTED).toSorted()).toEqual(recordedCases.map(({ name }) => name).toSorted())
})

test.for(recordedCases.map((one) => ({ ...one, outcome: EXPECTED[one.name] })))('$name is understood as: $outcome', async (recorded) => {
  const journal = createRecordingJournal()
  const { requests, requestEnds } = journal
  const fetch = openFetch(journal)
  const abort = new AbortController()
  current = recorded
  received = []
  arrived = () => recorded.response === undefined && abort.abort(new Failure({ code: 'DEADLINE', message: 'Too late.' }))
  const outcome = await ask(fetch, recorded, mcpContext(recorded), abort.signal).catch((error: unknown) => describe(error, recorded))
  expect(outcome).toBe(recorded.outcome)

  const { method, url } = recorded.request
  const asked = { method, path: new URL(url).pathname, host: new URL(origin).host, account: 'reports', accountId: 'account-id' }
  expect(requests[0]).toMatchObject({ ...asked, rpcMethod: mcpContext(recorded)?.rpcMethod ?? null })
  const { status = null, headers } = recorded.response ?? {}
  expect(requestEnds[0]).toMatchObject({ requestId: headers?.['x-request-id'] ?? null, status })
  // Each request that arrived was written first, under the id that it carried.
  expect(received.map((sent) => sent['x-request-id'])).toEqual(requests.map(({ requestIdSent }) => requestIdSent))
  expect(requestEnds.map(({ requestIdSent }) => requestIdSent)).toEqual(requests.map(({ requestIdSent }) => requestIdSent))
  for (const sent of received)
    expect(sent).toMatchObject({ 'x-nightshift-run-id': RUN_ID, authorization: `Bearer Pomerium-${tokens.current().jwt}` })
})

/** Asks anew for a recorded case, with more of its context. */
async function askWith(recorded: RecordedCase, extra: Partial<McpContext>): Promise<string> {
  const journal = createRecordingJournal()
  const fetch = openFetch(journal)
  current = recorded
  received = []
  arrived = () => {}
  const context = mcpContext(recorded)
  return ask(fetch, recorded, context && { ...context, ...extra }).catch((error: unknown) => describe(error, recorded))
}

test.each(Object.entries(OF_REPEATABLE))('%s of a call that may be made twice is understood as: %s', async (name, outcome) => {
  expect(await askWith(caseOf(name), { repeatable: true })).toBe(outcome)
})

test('a 404 in a session is a lost session, though a 404 without one is the route’s fault', async () => {
  expect(await askWith(caseOf('upstream-s404'), { repeatable: true, hadSession: true })).toBe('session lost')
})

/** Set for requests to an MCP server, as a session sets it. */
function mcpContext(recorded: RecordedCase): McpContext | undefined {
  const { url, headers } = recorded.request
  if (new URL(url).pathname !== '/mcp') return undefined
  const { method, tool } = recordedRpc(recorded)
  return { server: 'hr', rpcMethod: method, tool, hadSession: Object.hasOwn(headers, 'mcp-session-id') }
}

async function ask(
  fetch: GatewayFetch,
  { request, response, error }: RecordedCase,
  mcp: McpContext | undefined,
  signal?: AbortSignal,
): Promise<string> {
  const target = new URL(new URL(request.url).pathname, origin)
  if (target.pathname === ROUTES_PATH) {
    const { routes } = await listRoutes({
      fetch,
      gatewayUrl: origin,
      routeHosts: ['*.localhost.pomerium.io'],
      account: 'reports',
      redact: (text) => text,
    })
    return `${routes.size} routes`
  }
  const { method, headers, body } = request
  const answer = await fetch(target, { method, headers, ...(body !== undefined && { body }) }, { mcp, signal })
  // Nothing ever came on that stream.
  if (error !== undefined && response?.body === '') {
    await answer.body?.cancel()
    return `${answer.status}, left open`
  }
  let text = ''
  try {
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      if (error !== undefined) breakOff()
    }
  } catch {
    return `${answer.status}, broken off`
  }
  expect(text.trimEnd()).toBe(response?.body.trimEnd())
  return String(answer.status)
}

function describe(error: unknown, { response }: RecordedCase): string {
  if (error instanceof SessionLost) return 'session lost'
  if (!(error instanceof Failure)) throw error
  if (response) expect(error.requestId).toBe(response.headers['x-request-id'])
  const wait = error.retryAfterMs === undefined ? '' : ` after ${error.retryAfterMs} ms`
  return `${error.code}, ${error.retry}${wait}, ${isNotRun(error) ? 'not run' : 'may have run'}`
}
