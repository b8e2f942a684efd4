import { Failure } from '../core/failure.ts'
import { isNotRun, NotRun, SessionLost, type McpContext } from '../core/ports/gateway.ts'
import { parseDigits } from '../lib/json/parse.ts'
import { retryAfterMs } from '../lib/time/foreign.ts'

/**
 * Who made a response: the gateway itself, or the upstream, which had the request then and may have acted on it. Envoy marks each response of an upstream, and
 * overwrites a mark that the upstream sends. An operator can switch the marks off: then nobody can tell.
 */
export type Speaker = 'gateway' | 'upstream' | 'unknown'

/** Envoy's mark: how long the upstream took, in milliseconds (measured: on each response of an upstream, on none of the gateway's own). */
export const UPSTREAM_MARK = 'x-envoy-upstream-service-time'

/** True for a response that the upstream made. False when there are no marks, too. */
export const isFromUpstream = ({ headers }: Response): boolean => headers.has(UPSTREAM_MARK)

/** What is known of the HTTP response to an MCP request through the gateway. */
export interface ResponseInfo {
  status: number
  headers: Headers
  /** The first part of the body, as text. */
  body: string
  requestId: string | undefined
  from: Speaker
}

/** An MCP request and the account it was made as. */
export interface RequestInfo extends Pick<McpContext, 'server' | 'rpcMethod' | 'tool' | 'repeatable' | 'hadSession'> {
  account: string
}

/** Whether an answer that is lost, or that cannot be believed, has to be taken for a call that ran. */
const mayHaveRun = ({ tool, repeatable }: Pick<RequestInfo, 'tool' | 'repeatable'>): boolean => tool !== undefined && repeatable !== true

const notRun = (why: string) => ({ cause: new NotRun(why) })

const DENIED_CODE = -32602

/**
 * Pomerium's denial of a JSON-RPC POST: HTTP 200, error -32602 whose `data.request_id` is the response's own x-request-id. The code alone is also
 * an ordinary invalid-params error of a server (measured).
 */
export function deniedRequestId(body: string, requestId: string | undefined): string | undefined {
  if (!requestId || !body.includes('-32602') || !body.includes(requestId)) return undefined
  try {
    const message = parseDigits(body)
    const error = property(message, 'error')
    return property(error, 'code') === DENIED_CODE && property(property(error, 'data'), 'request_id') === requestId ? requestId : undefined
  } catch {
    return undefined
  }
}

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** The failure for a denial: of the tool when the request was a call, else of the whole route. */
export function deniedFailure({ server, account, tool }: RequestInfo, requestId: string): Failure {
  if (tool !== undefined) {
    return new Failure({
      code: 'TOOL_DENIED',
      message: `Policy denied account ${account} the tool ${tool} on ${server} (request ${requestId}).`,
      requestId,
      server,
      ...notRun('denied'),
    })
  }
  return new Failure({
    code: 'ROUTE_DENIED',
    message: `Policy denied account ${account} the route ${server} (request ${requestId}).`,
    requestId,
    server,
    ...notRun('denied'),
  })
}

/** Names the failure of a response that is not 2xx and not 401 (see `explainUnauthorized`). Facts: measurements of a live gateway; ARCHITECTURE.md has the table. */
export function failureOfResponse(request: RequestInfo, response: ResponseInfo): Failure | SessionLost {
  return believe(
    request,
    response,
    request.hadSession && isSessionGone(response) ? sessionLost(request, response) : nameFailure(request, response),
  )
}

/**
 * What is made of a failure that a response names. Of a tool call that may not be made twice, only the gateway's own word says that it did not run: whatever
 * the upstream says, it had the call.
 */
export function believe(request: RequestInfo, response: ResponseInfo, named: Failure | SessionLost): Failure | SessionLost {
  if (!mayHaveRun(request) || (isOwnWord(response) && isNotRun(named))) return named
  return unknownOutcome(request, `was answered with HTTP ${response.status}`, response.requestId, named)
}

/**
 * The gateway answered without asking the upstream. The 401 of an upstream it passes on in words of its own: with an empty body, and without the mark. In that of
 * its own it names the request (both measured).
 */
function isOwnWord({ status, body, requestId, from }: ResponseInfo): boolean {
  if (from !== 'gateway') return false
  return status !== 401 || (requestId !== undefined && body.includes(`"request_id":"${requestId}"`))
}

/** Servers say in many words and with three statuses that they do not know a session; the gateway never does. */
const isSessionGone = ({ status, from }: ResponseInfo) => from !== 'gateway' && [400, 404, 410].includes(status)

/** 400 says many things: when a new session does not help, it was not the session. */
const sessionLost = (request: RequestInfo, response: ResponseInfo) =>
  new SessionLost(
    `${request.server} no longer knows the session.`,
    response.status === 400 ? { cause: nameFailure(request, response) } : {},
  )

/** What a response says, if it is believed. */
function nameFailure(request: RequestInfo, { status, requestId, body, headers }: ResponseInfo): Failure {
  const { server } = request
  const about = { requestId, server }
  const what = `${request.rpcMethod ?? 'A request'} to ${server}`
  switch (true) {
    case status === 404 && body.includes('route_not_found'):
      return new Failure({ code: 'ROUTE_UNKNOWN', message: `Pomerium serves no route for ${server}.`, ...about, ...notRun('404') })
    case status >= 300 && status < 400:
      return new Failure({
        code: 'GATEWAY_UNREACHABLE',
        retry: 'never',
        message: `${what} was redirected (HTTP ${status}): this is not how Pomerium answers a service account.`,
        cure: 'Check gateway.url.',
        ...about,
        ...notRun('redirect'),
      })
    case status === 413:
      return new Failure({ code: 'REQUEST_TOO_LARGE', message: `${what} was too large for it (HTTP 413).`, ...about, ...notRun('413') })
    case status === 429:
      return new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${server} asks to slow down (HTTP 429).`,
        retryAfterMs: retryAfterMs(headers),
        ...about,
        ...notRun('429'),
      })
    case status === 503 && isNotConnected(body):
      return new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `Pomerium could not connect to ${server} (HTTP 503).`,
        ...about,
        ...notRun('no connection'),
      })
    case status === 404 || status === 405:
      return new Failure({
        code: 'UPSTREAM_ERROR',
        message: `${what} was answered with HTTP ${status}: the route’s path is not an MCP endpoint.`,
        ...about,
        ...notRun(String(status)),
      })
    // The gateway says 408 when it gave up waiting, also for an upstream that has the request.
    case status < 500 && status !== 408:
      return new Failure({
        code: 'UPSTREAM_ERROR',
        message: `${what} was answered with HTTP ${status}.`,
        ...about,
        ...notRun(String(status)),
      })
    default:
      return new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${what} was answered with HTTP ${status}.`,
        retryAfterMs: retryAfterMs(headers),
        ...about,
      })
  }
}

/** A call that was sent and may have run. */
export function unknownOutcome(
  { server, tool }: Pick<RequestInfo, 'server' | 'tool'>,
  why: string,
  requestId: string | undefined,
  cause: unknown,
): Failure {
  return new Failure({
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${tool ?? 'a tool'} on ${server} ${why}: it may have run.`,
    requestId,
    server,
    cause,
  })
}

/** Envoy's own response when it could not connect to the upstream. An upstream that quotes it in a response of its own does not count. */
function isNotConnected(body: string): boolean {
  try {
    const statusText = property(parseDigits(body), 'statusText')
    return typeof statusText === 'string' && statusText.startsWith('upstream_reset_before_response_started{remote_connection_failure')
  } catch {
    return false
  }
}
