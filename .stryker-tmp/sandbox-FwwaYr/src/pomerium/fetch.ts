// @ts-nocheck
import { randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { Failure, messageOf } from '../core/failure.ts'
import { NotRun, SessionLost, type GatewayFetch, type McpContext } from '../core/ports/gateway.ts'
import { fetchLean } from '../lib/http.ts'
import type { RequestJournal } from '../core/ports/journal.ts'
import { ROUTES_PATH } from './routes.ts'
import type { Token, TokenSource } from './token.ts'
import { deniedFailure, deniedRequestId, failureOf, unknownOutcome } from './responses.ts'

export interface GatewayOptions {
  dispatcher: Dispatcher
  account: string
  tokens: TokenSource
  /** Undefined for a request that belongs to no run. */
  runId: string | undefined
  journal: RequestJournal
  /** Most bytes of an answer; reading beyond fails with `RESULT_TOO_LARGE`. */
  maxResponseBytes: number
}

/** Codes of failures before a connection stood: nothing was sent. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])
const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/

const MAX_REQUEST_ID = 128
const PLAIN_ID = /^[\w.:-]+$/

/** A foreign request id, if it looks like one: it goes into rows and messages. */
function parseRequestId(value: string | null): string | null {
  return value !== null && value.length <= MAX_REQUEST_ID && PLAIN_ID.test(value) ? value : null
}

/** What says who asks, and for which run: sent with each request, by us or by a hosted provider. */
export const accountHeaders = (token: Token, runId: string | undefined): Record<string, string> => ({
  authorization: `Bearer Pomerium-${token.jwt}`,
  ...(runId !== undefined && { 'x-nightshift-run-id': runId }),
})

/** Most of an error's body that is read to understand it. */
const ERROR_BODY_BYTES = 65_536

/**
 * Makes the fetch of one attempt. Each request carries the account's token, an own `x-request-id` and the run's id, is written before it is
 * sent and after its answer, and is never redirected. What an MCP request is answered with is named here, where the facts are known.
 */
export function createGatewayFetch(options: GatewayOptions): GatewayFetch {
  const { dispatcher, account, tokens, runId, journal } = options

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
      // A worker that can no longer write learns it at its next row, before its next effect.
      void journal.gatewayRequestEnd({ requestIdSent, durationMs: performance.now() - began, ...end }).catch(() => {})
    if (signal?.aborted) {
      ended({ requestId: null, status: null, responseBytes: null, error: 'not sent' })
      signal.throwIfAborted()
    }
    try {
      const answer = await fetchLean(target, { method, headers, body: init.body, signal, dispatcher })
      const requestId = parseRequestId(answer.headers.get('x-request-id'))
      const length = answer.headers.get('content-length')
      ended({ requestId, status: answer.status, responseBytes: length === null ? null : Number(length), error: null })
      return { response: capped(answer, options.maxResponseBytes, target.host), requestId: requestId ?? undefined }
    } catch (error) {
      ended({ requestId: null, status: null, responseBytes: null, error: causeCode(error) })
      throw connectionFailure(error, target, signal, mcp)
    }
  }

  /** The token is bad when the route list says so too: any other 401 has another cause (measured). */
  async function isTokenRejected(target: URL, signal: AbortSignal | undefined): Promise<boolean> {
    const { response } = await exchange(new URL(ROUTES_PATH, target), { headers: { accept: 'application/json' } }, signal, undefined)
    await response.body?.cancel()
    if (response.status === 401) tokens.recheck?.()
    return response.status === 401
  }

  async function understand(
    target: URL,
    method: string,
    response: Response,
    requestId: string | undefined,
    mcp: McpContext,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const asked = { ...mcp, account }
    const json = /^application\/json\b/.test(response.headers.get('content-type') ?? '')
    if (response.ok && !json) return response
    if (response.ok) {
      const body = await response.text()
      const denied = deniedRequestId(body, requestId)
      if (denied) throw deniedFailure(asked, denied)
      const { status, headers } = response
      return new Response(status === 204 ? null : body, { status, headers })
    }
    if (method !== 'POST') return response
    const body = (await response.text().catch(() => '')).slice(0, ERROR_BODY_BYTES)
    const tokenRejected = response.status === 401 ? await isTokenRejected(target, signal) : undefined
    throw failureOf(asked, { status: response.status, headers: response.headers, body, requestId }, tokenRejected)
  }

  return async (url, init, { signal, mcp } = {}) => {
    const target = new URL(url)
    const { response, requestId } = await exchange(target, init, signal, mcp)
    if (!mcp) return response
    try {
      return await understand(target, init.method ?? 'GET', response, requestId, mcp, signal)
    } catch (error) {
      // The body broke off: a call was answered, but with what is lost.
      if (error instanceof Failure || error instanceof SessionLost) throw error
      throw connectionFailure(error, target, signal, mcp)
    }
  }
}

function causeCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return error instanceof Error ? error.name : 'unknown'
}

function connectionFailure(error: unknown, target: URL, signal: AbortSignal | undefined, mcp: McpContext | undefined): unknown {
  if (signal?.aborted || error instanceof Failure) return error
  const code = causeCode(error)
  const text = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error)
  const server = mcp?.server
  if (TLS.test(code)) {
    return new Failure({
      code: 'GATEWAY_UNREACHABLE',
      retry: 'never',
      message: `The certificate of ${target.host} is not trusted, or it does not speak TLS (${code}).`,
      cure: 'Name the CA in gateway.caFile, or correct gateway.url.',
      server,
      cause: new NotRun(code),
    })
  }
  const notConnected = NOT_CONNECTED.has(code)
  if (mcp?.tool !== undefined && !notConnected) return unknownOutcome(mcp, `got no whole answer (${text || code})`, undefined, error)
  return new Failure({
    code: 'GATEWAY_UNREACHABLE',
    message: `No answer from ${target.host}: ${text || code}.`,
    server,
    cause: notConnected ? new NotRun(code) : error,
  })
}

/** Lets at most `maxBytes` of a body through. A body whose length is said and small enough is not touched; a packed one says another length. */
function capped(response: Response, maxBytes: number, host: string): Response {
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
