import { randomUUID } from 'node:crypto'
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { Failure } from '../../core/failure.ts'
import { SessionLost, type GatewayFetch } from '../../core/ports/gateway.ts'
import type { AnswerReader } from './answers.ts'
import { createCookies } from './cookies.ts'
import type { Exchanges, RequestScope } from './exchange.ts'
import { notResumed } from './failures.ts'

export interface SessionFetchOptions {
  server: string
  /** The gateway's fetch, which identifies and journals each request. */
  fetch: GatewayFetch
  maxRequestBytes: number
  exchanges: Exchanges
  answers: AnswerReader
  /** Aborts what belongs to no single request. */
  closing: AbortSignal
}

/** Resumed streams in a row that may bring no event. */
const MAX_EMPTY_RESUMES = 2
/** Resumed streams of one request in all. */
const MAX_RESUMES = 500
/** Stands for the arguments in a call that is given to the SDK, which would write numbers anew: the model's own digits reach the server. */
export const ARGUMENTS: string = randomUUID()
/** As the SDK writes requests, and the notification of an end, which begins otherwise (measured). */
const RPC_METHOD = /^\{(?:"jsonrpc":"2\.0",)?"method":"([^"\\]+)"/

/** The fetch of a session's transport: what the SDK wants to send goes to the gateway with the request it is for, or is answered here. */
export function createSessionFetch({ server, fetch, maxRequestBytes, exchanges, answers, closing }: SessionFetchOptions): FetchLike {
  const cookies = createCookies()
  return async (url, init = {}) => {
    const scope = exchanges.current()
    const headers = new Headers(init.headers)
    const method = init.method ?? 'GET'
    const isResume = method === 'GET'
    // SDK: it opens a stream for messages of the server, to which nothing listens here; 405 says that there is none.
    if (isResume && !mayResume(server, scope)) return new Response(null, { status: 405 })
    // SDK: it forgets the id when a resumed stream brings no new one.
    if (isResume && scope?.eventId !== undefined) headers.set('last-event-id', scope.eventId)
    const written = typeof init.body === 'string' ? init.body : undefined
    const rpcMethod = written === undefined ? undefined : RPC_METHOD.exec(written)?.[1]
    // SDK: to connect is a request and, once that is answered, a notification, which a server may take its time over. What answers a server's own request says nothing of ours.
    if (rpcMethod !== undefined) scope?.began()
    const call = rpcMethod === 'tools/call' ? scope : undefined
    const body = written !== undefined && call?.arguments !== undefined ? withArguments(written, call.arguments) : written
    if (body !== undefined) checkSize(server, body, maxRequestBytes)
    cookies.send(headers)
    const isNotification = rpcMethod?.startsWith('notifications/') === true
    const asked = rpcMethod === undefined || isNotification ? undefined : scope
    const request = fetch(
      url,
      { method, headers, ...(body !== undefined && { body }) },
      {
        // The notification that a call was aborted must outlive the call's own signal.
        signal: scope && rpcMethod !== 'notifications/cancelled' ? scope.signal : closing,
        mcp: {
          server,
          rpcMethod,
          tool: call?.tool,
          repeatable: call?.repeatable,
          toolCallId: asked?.toolCallId,
          written: asked?.written,
          hadSession: headers.has('mcp-session-id'),
        },
      },
    )
    const response = await (isNotification ? request.catch(ignored) : request)
    cookies.keep(response.headers)
    // SDK: 405 to a GET is no error to it, and the request would wait for ever.
    if (isResume && response.status === 405) scope?.failed(notResumed(server, scope.tool))
    const isAnswer = isResume ? response.ok : asked !== undefined
    return scope && isAnswer ? answers.read(response, { method: rpcMethod, id: written && idOf(written) }, scope) : response
  }
}

/** Some servers refuse notifications, which ask for no answer. What policy or the gateway says of one counts. */
function ignored(error: unknown): Response {
  const isOfServer = error instanceof SessionLost || (error instanceof Failure && error.code.startsWith('UPSTREAM_'))
  if (isOfServer) return new Response(null, { status: 202 })
  throw error
}

/** Only a request that still waits is resumed, after an event that had an id, and only while resuming brings events. */
function mayResume(server: string, scope: RequestScope | undefined): boolean {
  if (scope?.eventId === undefined || !scope.isPending()) return false
  scope.emptyResumes++
  scope.resumes++
  if (scope.emptyResumes <= MAX_EMPTY_RESUMES && scope.resumes <= MAX_RESUMES) return true
  scope.failed(notResumed(server, scope.tool))
  return false
}

/** The id that the SDK gave a request. */
function idOf(body: string): unknown {
  const request: unknown = JSON.parse(body)
  return typeof request === 'object' && request !== null ? Reflect.get(request, 'id') : undefined
}

function withArguments(body: string, args: string): string {
  const placeholder = JSON.stringify(ARGUMENTS)
  if (!body.includes(placeholder)) throw new Error('the SDK did not write the arguments of a call as they were given')
  return body.replace(placeholder, () => args)
}

/** A larger body would slip past the policy, which sees only so much of it (measured). */
function checkSize(server: string, body: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(body)
  if (bytes > maxBytes)
    throw new Failure({
      code: 'REQUEST_TOO_LARGE',
      message: `A request of ${bytes} bytes to ${server} is over the ${maxBytes} of servers.${server}.maxRequestBytes; it was not sent.`,
      server,
    })
}
