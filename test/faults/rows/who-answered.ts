import type { FailureCode } from '../../../src/core/failure-codes.ts'
import type { RunStatus } from '../../../src/core/run.ts'
import type { Seen } from '../../support/gateway/fault-proxy.ts'
import { JSON_TYPE, onAct, onLook, once, status, type Answer } from '../moments.ts'
import { MIDDLE, rowsOf, type FaultRow, type RowOptions } from '../row.ts'

// At most once is decided by who answered. Each answer here is given to one call that must not be repeated, twice over: by the gateway, to which the call never
// came, and by the server, after its effect.

type Expected = [RunStatus, FailureCode | null, attempts: number, effects: number]

interface Said {
  what: string
  answer: (request: Pick<Seen, 'headers' | 'id'>) => Answer
  /** What comes of it when the gateway says it: the call did not run. */
  byGateway: Expected
  options?: RowOptions
  /** Where the server's word is no failure but an answer. */
  byServer?: Expected
}

const heals = { heals: true }
const FATAL: Expected = ['failed', 'UPSTREAM_ERROR', 1, 0]
const HEALED: Expected = ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1]
const MAY_HAVE_RUN: Expected = ['failed', 'OUTCOME_UNKNOWN', 1, 1]

const http =
  (code: number, headers: Record<string, string> = {}, body = ''): Said['answer'] =>
  () =>
    status(code, headers, body)

const rpcError = (code: number, message: string) => http(code, JSON_TYPE, JSON.stringify({ error: { code: -32000, message } }))

/** What the gateway says of a request names it by its id; a server is sent the id, too. */
const naming =
  (code: number, bodyOf: (requestId: string, id: Seen['id']) => object): Said['answer'] =>
  ({ headers, id }) => {
    const requestId = String(headers['x-request-id'])
    return status(code, { ...JSON_TYPE, 'x-request-id': requestId }, JSON.stringify(bodyOf(requestId, id)))
  }

const said: Said[] = [
  { what: 'HTTP 302', answer: http(302, { location: 'https://login.example.com/' }), byGateway: ['failed', 'GATEWAY_UNREACHABLE', 1, 0] },
  { what: 'HTTP 400', answer: http(400), byGateway: FATAL },
  { what: 'HTTP 400, no valid session', answer: rpcError(400, 'Bad Request: No valid session ID provided'), byGateway: FATAL },
  {
    what: 'HTTP 401 that names the request',
    answer: naming(401, (id) => ({ error: 'Unauthorized', request_id: id })),
    byGateway: ['waiting', 'CONNECTION_REQUIRED', 1, 0],
    options: { bench: { route: { upstreamOAuth: { authorizationUrl: 'https://login.example.com/authorize' } } } },
  },
  { what: 'HTTP 403', answer: http(403), byGateway: FATAL },
  { what: 'HTTP 404', answer: http(404), byGateway: FATAL },
  { what: 'HTTP 404, session not found', answer: rpcError(404, 'Session not found'), byGateway: FATAL },
  { what: 'HTTP 404 route_not_found', answer: http(404, {}, 'route_not_found'), byGateway: ['failed', 'ROUTE_UNKNOWN', 1, 0] },
  { what: 'HTTP 405', answer: http(405), byGateway: FATAL },
  { what: 'HTTP 410', answer: http(410), byGateway: FATAL },
  { what: 'HTTP 413, told to the model', answer: http(413), byGateway: ['succeeded', null, 1, 0] },
  { what: 'HTTP 429 with a retry-after', answer: http(429, { 'retry-after': '1' }), byGateway: HEALED, options: heals },
  {
    what: 'HTTP 503 of a connection that was refused',
    answer: http(
      503,
      JSON_TYPE,
      JSON.stringify({
        status: '503',
        statusText: 'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
      }),
    ),
    byGateway: HEALED,
    options: heals,
  },
  {
    what: 'a denial',
    answer: naming(200, (requestId, id) => ({
      jsonrpc: '2.0',
      id,
      error: { code: -32602, message: 'access denied', data: { request_id: requestId } },
    })),
    byGateway: ['incomplete', 'TOOL_DENIED', 1, 0],
    byServer: ['succeeded', null, 1, 1],
  },
]

const gateway = rowsOf('gateway')
const upstream = rowsOf('upstream')

/** The gateway's answer to the first call of `act`. */
const fromGateway =
  (answer: Said['answer']): FaultRow['inject'] =>
  ({ toGateway }) => {
    let done = false
    onAct(toGateway, (seen) => {
      if (done) return undefined
      done = true
      return answer(seen)
    })
  }

/** The server's answer to each call of `act`, when it has taken effect. */
const fromServer =
  (answer: Said['answer']): FaultRow['inject'] =>
  (bench) => {
    bench.server.answer = (call, { headers }, res) => {
      if (call.name !== 'act') return 'done'
      const { status: code, headers: sent, body } = answer({ headers, id: call.id })
      res.writeHead(code, sent).end(body)
      return undefined
    }
  }

const withoutMarks: RowOptions = { bench: { route: { withoutMarks: true } } }
const slowDown = http(429, { 'retry-after': '1' })

export const whoAnsweredRows: FaultRow[] = [
  ...said.flatMap(({ what, answer, byGateway, byServer = MAY_HAVE_RUN, options = {} }) => [
    gateway(`${what} at a call: the gateway’s word`, byGateway, fromGateway(answer), options),
    upstream(`${what} at a call, after its effect`, byServer, fromServer(answer), { ...options, heals: false }),
  ]),
  gateway(
    'HTTP 429 at a call, without marks: nobody knows whose word',
    ['failed', 'OUTCOME_UNKNOWN', 1, 0],
    fromGateway(slowDown),
    withoutMarks,
  ),
  upstream('HTTP 429 at a call, after its effect, without marks', MAY_HAVE_RUN, fromServer(slowDown), withoutMarks),
  gateway(
    'HTTP 429 at a repeatable call, without marks',
    HEALED,
    ({ toGateway }) => onLook(toGateway, once(status(429, { 'retry-after': '1' }))),
    { ...withoutMarks, ...heals },
  ),
  upstream('HTTP 429 at a repeatable call', HEALED, ({ toServer }) => onLook(toServer, once(status(429, { 'retry-after': '1' }))), heals),
  upstream('HTTP 429 at a call, after its effect, told to the model', ['incomplete', 'OUTCOME_UNKNOWN', 1, 1], fromServer(slowDown), {
    more: 'onUnknown: tell-model',
    script: MIDDLE,
  }),
]
