// @ts-nocheck
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { Failure } from '../../core/failure.ts'
import type { GatewayFetch } from '../../core/ports/gateway.ts'
import type { Exchanges, RequestScope } from './exchange.ts'
import { notResumed } from './failures.ts'
import type { OpenStreams } from './stream.ts'

export interface SessionFetchOptions {
  server: string
  /** The gateway's fetch, which identifies and journals each request. */
  fetch: GatewayFetch
  maxRequestBytes: number
  exchanges: Exchanges
  streams: OpenStreams
  /** Ends what belongs to no request. */
  closing: AbortSignal
}

/** Resumed streams in a row that may bring no event. */
const MAX_EMPTY_RESUMES = 2
/** As the SDK writes requests, and the notification of an end, which begins otherwise (measured). */
const RPC_METHOD = /^\{(?:"jsonrpc":"2\.0",)?"method":"([^"\\]+)"/

/** The fetch of a session's transport: what the SDK wants to send goes to the gateway with the request it is for, or is answered here. */
export function createSessionFetch({ server, fetch, maxRequestBytes, exchanges, streams, closing }: SessionFetchOptions): FetchLike {
  return async (url, init = {}) => {
    const scope = exchanges.current()
    const headers = new Headers(init.headers)
    const method = init.method ?? 'GET'
    const isResume = method === 'GET'
    // SDK: it opens a stream for messages of the server, to which nothing listens here; 405 says that there is none.
    if (isResume && !mayResume(server, scope)) return new Response(null, { status: 405 })
    // SDK: it forgets the id when a resumed stream brings no new one.
    if (isResume && scope?.eventId !== undefined) headers.set('last-event-id', scope.eventId)
    const body = typeof init.body === 'string' ? init.body : undefined
    if (body !== undefined) checkSize(server, body, maxRequestBytes)
    const rpcMethod = body === undefined ? undefined : RPC_METHOD.exec(body)?.[1]
    const call = rpcMethod === 'tools/call' ? scope : undefined
    const response = await fetch(
      url,
      { method, headers, ...(body !== undefined && { body }) },
      {
        // What tells the server of the end of a call outlives the call.
        signal: scope && rpcMethod !== 'notifications/cancelled' ? scope.signal : closing,
        mcp: {
          server,
          rpcMethod,
          tool: call?.tool,
          toolCallId: call?.toolCallId,
          written: call?.written,
          hadSession: headers.has('mcp-session-id'),
        },
      },
    )
    // SDK: 405 to a GET is no error to it, and the request would wait for ever.
    if (isResume && response.status === 405) scope?.failed(notResumed(server, scope.tool))
    const isAnswer = isResume || rpcMethod?.startsWith('tools/') === true
    return scope && isAnswer ? streams.watch(response, scope) : response
  }
}

/** Only a request that still waits is resumed, after an event that had an id, and only while resuming brings events. */
function mayResume(server: string, scope: RequestScope | undefined): boolean {
  if (scope?.eventId === undefined || !scope.isPending()) return false
  scope.emptyResumes++
  if (scope.emptyResumes <= MAX_EMPTY_RESUMES) return true
  scope.failed(notResumed(server, scope.tool))
  return false
}

/** A larger body would slip past the policy, which sees only so much of it (measured). */
function checkSize(server: string, body: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(body)
  if (bytes > maxBytes)
    throw new Failure({
      code: 'REQUEST_TOO_LARGE',
      message: `A request of ${bytes} bytes to ${server} is over the limit of ${maxBytes}; it was not sent.`,
      server,
    })
}
