// @ts-nocheck
import { Failure } from '../core/failure.ts'
import { NotRun, SessionLost, type McpContext } from '../core/ports/gateway.ts'

/** What is known of an answer to an MCP request through the gateway. */
export interface Answer {
  status: number
  headers: Headers
  /** The first part of the body, as text. */
  body: string
  requestId: string | undefined
}

/** An MCP request and the account it was made as. */
export interface Asked extends Pick<McpContext, 'server' | 'rpcMethod' | 'tool' | 'hadSession'> {
  account: string
}

const notRun = (why: string) => ({ cause: new NotRun(why) })

const DENIED_CODE = -32602

/**
 * Pomerium's denial of a JSON-RPC POST: HTTP 200, error -32602 whose `data.request_id` is the answer's own x-request-id. The code alone is also
 * an ordinary invalid-params answer (measured).
 */
export function deniedRequestId(body: string, requestId: string | undefined): string | undefined {
  if (!requestId || !body.includes('-32602') || !body.includes(requestId)) return undefined
  try {
    const message: unknown = JSON.parse(body)
    const error = field(message, 'error')
    return field(error, 'code') === DENIED_CODE && field(field(error, 'data'), 'request_id') === requestId ? requestId : undefined
  } catch {
    return undefined
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** The failure for a denial: of the tool when the request was a call, else of the whole route. */
export function deniedFailure(asked: Asked, requestId: string): Failure {
  const { server, account, tool } = asked
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

/**
 * Names the failure of an answer that is not 2xx. The four kinds of 401 need the route list and are told apart by the caller, which passes
 * `tokenRejected`. Facts: shared measurements of a live gateway; ARCHITECTURE.md has the table.
 */
export function failureOf(asked: Asked, answer: Answer, tokenRejected: boolean | undefined): Failure | SessionLost {
  const { server, account } = asked
  const { status, requestId } = answer
  const about = { requestId, server }
  const what = `${asked.rpcMethod ?? 'A request'} to ${server}`
  switch (true) {
    case status === 401 && tokenRejected === true:
      return new Failure({
        code: 'TOKEN_REJECTED',
        message: `Pomerium rejected the token of account ${account} (request ${requestId ?? 'without id'}).`,
        ...about,
        ...notRun('401'),
      })
    case status === 401:
      return new Failure({
        code: 'CONNECTION_REQUIRED',
        message: `Server ${server} needs a person to connect it for account ${account}.`,
        ...about,
        ...notRun('401'),
      })
    case status === 404 && answer.body.includes('route_not_found'):
      return new Failure({ code: 'ROUTE_UNKNOWN', message: `Pomerium serves no route for ${server}.`, ...about, ...notRun('404') })
    case asked.hadSession && (status === 404 || (status === 400 && /no valid session/i.test(answer.body))):
      return new SessionLost(`${server} no longer knows the session.`)
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
        retryAfterMs: retryAfterMs(answer.headers),
        ...about,
        ...notRun('429'),
      })
    case status === 503 && isNotConnected(answer.body):
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
    case status < 500:
      return new Failure({
        code: 'UPSTREAM_ERROR',
        message: `${what} was answered with HTTP ${status}.`,
        ...about,
        ...notRun(String(status)),
      })
    case asked.tool === undefined:
      return new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `${what} was answered with HTTP ${status}.`,
        retryAfterMs: retryAfterMs(answer.headers),
        ...about,
      })
    default:
      return unknownOutcome(asked, `was answered with HTTP ${status}`, requestId)
  }
}

/** A call that was sent and may have run. */
export function unknownOutcome(
  asked: Pick<Asked, 'server' | 'tool'>,
  why: string,
  requestId: string | undefined,
  cause?: unknown,
): Failure {
  return new Failure({
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${asked.tool ?? 'a tool'} on ${asked.server} ${why}: it may have run.`,
    requestId,
    server: asked.server,
    cause,
  })
}

/** Envoy's own answer when it could not connect to the upstream. An upstream that quotes it in an answer of its own does not count. */
function isNotConnected(body: string): boolean {
  try {
    const statusText = field(JSON.parse(body), 'statusText')
    return typeof statusText === 'string' && statusText.startsWith('upstream_reset_before_response_started{remote_connection_failure')
  } catch {
    return false
  }
}

const MAX_RETRY_AFTER_MS = 24 * 3_600_000

/** `retry-after` in milliseconds, whether it gives seconds or a date. At most a day. */
export function retryAfterMs(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}
