import { randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { Failure, messageOf } from '../core/failure.ts'
import { NotRun, SessionLost, type GatewayFetch, type McpContext } from '../core/ports/gateway.ts'
import type { RequestJournal } from '../core/ports/journal.ts'
import { codesOf, isNeverConnected } from '../lib/net/connection-error.ts'
import { fetchLean } from '../lib/net/http.ts'
import { believe, deniedFailure, deniedRequestId, failureOfResponse, isFromUpstream, unknownOutcome, type Speaker } from './responses.ts'
import type { Token, TokenSource } from './token.ts'
import { explainUnauthorized } from './unauthorized.ts'

export interface GatewayOptions {
  dispatcher: Dispatcher
  account: string
  tokens: TokenSource
  /** Undefined for a request that belongs to no run. */
  runId: string | undefined
  journal: RequestJournal
  /** Most bytes of a response; reading beyond fails with `RESULT_TOO_LARGE`. */
  maxResponseBytes: number
  /** Takes secrets out of a text. */
  redact: (text: string) => string
}

/** Node's error codes of a certificate that is not trusted: nothing was sent. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/
/** Its other codes of TLS: of a handshake, but a connection that stood can break with them as well. */
const TLS = /ERR_TLS|ERR_SSL|EPROTO/

const MAX_REQUEST_ID = 128
const PLAIN_ID = /^[\w.:-]+$/

/** A foreign request id, if it looks like one and holds no secret: it goes into rows and messages. */
function parseRequestId(value: string | null, redact: GatewayOptions['redact']): string | null {
  return value !== null && value.length <= MAX_REQUEST_ID && PLAIN_ID.test(value) && redact(value) === value ? value : null
}

/** The headers with token and run id: sent with each request, by us or by a hosted provider. */
export const accountHeaders = (token: Token, runId: string | undefined): Record<string, string> => ({
  authorization: `Bearer Pomerium-${token.jwt}`,
  ...(runId !== undefined && { 'x-nightshift-run-id': runId }),
})

/** Most bytes of an error response that are read to classify it. */
const ERROR_BODY_BYTES = 65_536

/**
 * Makes the fetch of one attempt. Each request carries the account's token, an own `x-request-id` and the run's id, is written before it is
 * sent and after its response, and is never redirected. The response to an MCP request is classified here, where status, headers and body are known.
 */
export function createGatewayFetch(options: GatewayOptions): GatewayFetch {
  const { dispatcher, account, tokens, runId, journal } = options
  /** Hosts whose upstream was heard without Envoy's mark. */
  const unmarked = new Set<string>()

  function speakerOf(response: Response, { host }: URL): Speaker {
    if (isFromUpstream(response)) return 'upstream'
    return unmarked.has(host) ? 'unknown' : 'gateway'
  }

  async function exchange(target: URL, init: Parameters<GatewayFetch>[1], signal: AbortSignal | undefined, mcp: McpContext | undefined) {
    const token = tokens.current()
    const requestIdSent = randomUUID()
    const method = init.method ?? 'GET'
    const headers = new Headers(init.headers)
    for (const [name, value] of Object.entries(accountHeaders(token, runId))) headers.set(name, value)
    headers.set('x-request-id', requestIdSent)
    const written = journal.gatewayRequest({
      requestIdSent,
      toolCallId: mcp?.toolCallId ?? null,
      account,
      accountId: token.accountId,
      method,
      host: target.host,
      path: target.pathname,
      rpcMethod: mcp?.rpcMethod ?? null,
      server: mcp?.server ?? null,
      requestBytes: init.body === undefined ? 0 : Buffer.byteLength(init.body),
      sentAt: new Date(),
    })
    await Promise.all([written, mcp?.written])
    const began = performance.now()
    const ended = (end: { requestId: string | null; status: number | null; responseBytes: number | null; error: string | null }) =>
      // Not awaited: a worker that lost the run finds out at its next awaited row, before its next effect.
      void journal.gatewayRequestEnd({ requestIdSent, durationMs: performance.now() - began, ...end }).catch(() => {})
    if (signal?.aborted) {
      ended({ requestId: null, status: null, responseBytes: null, error: 'not sent' })
      signal.throwIfAborted()
    }
    try {
      const response = await fetchLean(target, { method, headers, body: init.body, signal, dispatcher })
      const requestId = parseRequestId(response.headers.get('x-request-id'), options.redact)
      const length = response.headers.get('content-length')
      ended({ requestId, status: response.status, responseBytes: length === null ? null : Number(length), error: null })
      return { response: limitBody(response, options.maxResponseBytes, target.host), requestId: requestId ?? undefined }
    } catch (error) {
      ended({ requestId: null, status: null, responseBytes: null, error: causeCode(error) })
      throw connectionFailure(error, target, signal, mcp)
    }
  }

  /** Returns a response that the MCP session can use; throws the `Failure` that any other one stands for. */
  async function classifyResponse(
    target: URL,
    method: string,
    { response, requestId }: Awaited<ReturnType<typeof exchange>>,
    mcp: McpContext,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const request = { ...mcp, account }
    const { status, headers } = response
    const from = speakerOf(response, target)
    if (response.ok) {
      const isJson = /^application\/json\b/.test(headers.get('content-type') ?? '')
      const body = isJson ? await response.text() : undefined
      const denied = body === undefined || from === 'upstream' ? undefined : deniedRequestId(body, requestId)
      if (denied) throw deniedFailure(request, denied)
      // The gateway itself makes no other response of success.
      if (from !== 'upstream') unmarked.add(target.host)
      if (body === undefined) return response
      return new Response(status === 204 ? null : body, { status, headers })
    }
    if (method !== 'POST') return response
    const body = (await response.text().catch(() => '')).slice(0, ERROR_BODY_BYTES)
    const info = { status, headers, body, requestId, from }
    if (status !== 401) throw failureOfResponse(request, info)
    const failure = await explainUnauthorized({ fetch, gatewayUrl: target, account, server: mcp.server, requestId, signal }).catch(
      asFailure,
    )
    if (failure.code === 'TOKEN_REJECTED') tokens.recheck?.()
    throw believe(request, info, failure)
  }

  const fetch: GatewayFetch = async (url, init, { signal, mcp } = {}) => {
    const target = new URL(url)
    const exchanged = await exchange(target, init, signal, mcp)
    if (!mcp) return exchanged.response
    try {
      return await classifyResponse(target, init.method ?? 'GET', exchanged, mcp, signal)
    } catch (error) {
      if (error instanceof Failure || error instanceof SessionLost) throw error
      // The body broke off: a call was answered, but with what is lost.
      throw connectionFailure(error, target, signal, mcp)
    }
  }
  return fetch
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  throw error
}

const causeCode = (error: unknown): string => codesOf(error)[0] ?? (error instanceof Error ? error.name : 'unknown')

function connectionFailure(error: unknown, target: URL, signal: AbortSignal | undefined, mcp: McpContext | undefined): unknown {
  if (signal?.aborted || error instanceof Failure) return error
  const code = causeCode(error)
  const text = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error)
  const server = mcp?.server
  if (CERTIFICATE.test(code) || (TLS.test(code) && mcp?.tool === undefined)) {
    return new Failure({
      code: 'GATEWAY_UNREACHABLE',
      retry: 'never',
      message: `The certificate of ${target.host} is not trusted, or it does not speak TLS (${code}).`,
      cure: 'Name the CA in gateway.caFile, or correct gateway.url.',
      server,
      cause: new NotRun(code),
    })
  }
  const notConnected = isNeverConnected(error)
  if (mcp?.tool !== undefined && !notConnected) return unknownOutcome(mcp, `got no whole answer (${text || code})`, undefined, error)
  return new Failure({
    code: 'GATEWAY_UNREACHABLE',
    message: `No answer from ${target.host}: ${text || code}.`,
    server,
    cause: notConnected ? new NotRun(code) : error,
  })
}

/** Lets at most `maxBytes` of a body through. A body whose length is said and small enough is not touched; a packed one says another length. */
function limitBody(response: Response, maxBytes: number, host: string): Response {
  const length = response.headers.get('content-length')
  const isPacked = response.headers.has('content-encoding')
  if (response.body === null || (length !== null && !isPacked && Number(length) <= maxBytes)) return response
  let seen = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.byteLength
      if (seen <= maxBytes) controller.enqueue(chunk)
      else controller.error(new Failure({ code: 'RESULT_TOO_LARGE', message: `An answer of ${host} is larger than ${maxBytes} bytes.` }))
    },
  })
  const { status, statusText, headers } = response
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers })
}
