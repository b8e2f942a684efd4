import { AsyncLocalStorage } from 'node:async_hooks'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import { SessionLost, type GatewayFetch } from '../core/ports/gateway.ts'
import { callResultSchema, type CallResult } from './content.ts'
import { listPageSchema, parseTool, type ListedTool } from './tools.ts'

export interface SessionOptions {
  server: string
  url: string
  fetch: GatewayFetch
  /** Largest request body: the route's max_request_bytes. A larger one would slip past the policy (measured). */
  maxRequestBytes: number
  /** Longest wait for the answer to initialize and to a page of the list. */
  timeoutMs: number
}

export interface ToolListing {
  tools: Map<string, ListedTool>
  /** Tools that were left out, each with its reason. */
  leftOut: { name: string; why: string }[]
}

export interface CallContext {
  toolCallId: string
  written: Promise<void>
  signal: AbortSignal
}

/** The answer to a tool call: a result, or the server's JSON-RPC error, which the model is told. */
export type CallAnswer = { kind: 'result'; result: CallResult } | { kind: 'rpc-error'; code: number; message: string }

/** One MCP session with one server. Not reconnected: when it is lost, open another. */
export interface McpSession {
  listTools(signal: AbortSignal): Promise<ToolListing>
  call(tool: string, args: Record<string, unknown>, context: CallContext): Promise<CallAnswer>
  /** Ends the session with DELETE where there is one. Never throws; can be called twice. */
  close(): Promise<void>
}

const CLIENT = { name: 'nightshift', version: '0.1.0' }
/** One for all sessions: a client makes its own otherwise, 17 KB that nothing uses. */
const OPTIONS = { capabilities: {}, jsonSchemaValidator: new AjvJsonSchemaValidator() }
const CLOSE_TIMEOUT_MS = 2000
const MAX_PAGES = 50
/** A call's answer has ended, and its result has not come out of the client: it never will. */
const ANSWER_GRACE_MS = 1000
/** Resumed streams in a row that may bring no event. */
const MAX_EMPTY_RESUMES = 2
/** As the client writes requests, and the notification of an end, which begins otherwise (measured). */
const RPC_METHOD = /^\{(?:"jsonrpc":"2\.0",)?"method":"([^"\\]+)"/
const FOREVER_MS = 2_147_483_647

/** What the fetch knows of the request it is asked to send. */
interface Scope {
  /** Ends the HTTP exchange. */
  signal: AbortSignal
  tool?: string
  toolCallId?: string
  written?: Promise<void>
  /** The last event of its stream that had an id: from there the client can resume. */
  eventId?: string
  emptyResumes?: number
  /** An answer is over. */
  ended?: () => void
  failed?: (error: unknown) => void
}

/** Opens a session: initialize and its notification. Failures are `Failure`s. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<McpSession> {
  const { server, fetch, maxRequestBytes, timeoutMs } = options
  const scopes = new AsyncLocalStorage<Scope>()
  const closing = new AbortController()
  const pending = new Set<Scope>()
  /** Ends the streams that are open, also those whose results have come. */
  const streams = new Set<() => void>()

  const mcpFetch: FetchLike = async (url, init = {}) => {
    const scope = scopes.getStore()
    const headers = new Headers(init.headers)
    const method = init.method ?? 'GET'
    // No standalone stream: nothing listens to it, and it would hold a connection for each session. And no call is resumed that is over.
    if (method === 'GET' && !canResume(scope)) return new Response(null, { status: 405 })
    // The client forgets the id when a resumed stream brings no new one.
    if (method === 'GET' && scope?.eventId !== undefined) headers.set('last-event-id', scope.eventId)
    const body = typeof init.body === 'string' ? init.body : undefined
    if (body !== undefined && Buffer.byteLength(body) > maxRequestBytes) {
      throw new Failure({
        code: 'REQUEST_TOO_LARGE',
        message: `A request of ${Buffer.byteLength(body)} bytes to ${server} is over the limit of ${maxRequestBytes}; it was not sent.`,
        server,
      })
    }
    const rpcMethod = body === undefined ? undefined : RPC_METHOD.exec(body)?.[1]
    const call = rpcMethod === 'tools/call' ? scope : undefined
    const response = await fetch(
      url,
      { method, headers, ...(body !== undefined && { body }) },
      {
        // What tells the server of the end of a call outlives the call.
        signal: scope && rpcMethod !== 'notifications/cancelled' ? scope.signal : closing.signal,
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
    const isAnswer = method === 'GET' || rpcMethod?.startsWith('tools/') === true
    if (method === 'GET' && response.status === 405) scope?.failed?.(notResumed(scope))
    return scope && isAnswer ? watchEnd(response, scope, streams) : response
  }

  function canResume(scope: Scope | undefined): boolean {
    if (scope?.eventId === undefined || !pending.has(scope)) return false
    scope.emptyResumes = (scope.emptyResumes ?? -1) + 1
    if (scope.emptyResumes <= MAX_EMPTY_RESUMES) return true
    scope.failed?.(notResumed(scope))
    return false
  }

  const notResumed = ({ tool }: Scope) => lostAnswer(server, tool, 'was cut off and could not be resumed')

  const client = new Client(CLIENT, OPTIONS)
  const transport = new StreamableHTTPClientTransport(new URL(options.url), { fetch: mcpFetch })
  // oxlint-disable-next-line prefer-add-event-listener -- the client has no events, only this hook
  client.onerror = (error) => {
    const scope = scopes.getStore()
    if (scope && /Maximum reconnection attempts/.test(error.message)) scope.failed?.(notResumed(scope))
  }

  /** Lets the client ask something, with an HTTP exchange that ends with the request. */
  function ask<T>(
    about: Scope,
    work: (options: { signal: AbortSignal; onresumptiontoken: (id: string) => void }) => Promise<T>,
  ): Promise<T> {
    // The client keeps a listener for each finished request (measured), so each has its own controller.
    const own = new AbortController()
    const exchange = new AbortController()
    // Outside of the scope: the client then tells the server.
    const end = (reason: unknown) => scopes.exit(() => own.abort(reason))
    const abort = () => end(about.signal.reason)
    about.signal.addEventListener('abort', abort, { once: true })
    if (about.signal.aborted) abort()
    let timer: NodeJS.Timeout | undefined
    return new Promise<T>((done, fail) => {
      const mine: Scope = {
        ...about,
        signal: exchange.signal,
        ended: () => {
          clearTimeout(timer)
          if (!pending.has(mine)) return
          timer = setTimeout(() => {
            if (mine.eventId === undefined) mine.failed?.(lostAnswer(server, about.tool, 'was answered without its result'))
          }, ANSWER_GRACE_MS)
        },
        failed: (error) => {
          fail(error)
          end(error)
        },
      }
      const onresumptiontoken = (id: string) => {
        mine.eventId = id
        mine.emptyResumes = -1
      }
      pending.add(mine)
      scopes
        .run(mine, () => work({ signal: own.signal, onresumptiontoken }))
        .then(done, (error: unknown) => {
          fail(error)
          exchange.abort(error)
        })
        .finally(() => {
          clearTimeout(timer)
          pending.delete(mine)
          about.signal.removeEventListener('abort', abort)
        })
    })
  }

  function request<Schema extends z.ZodType>(
    message: { method: string; params: Record<string, unknown> },
    schema: Schema,
    scope: Scope,
  ): Promise<z.output<Schema>> {
    const timeout = scope.tool === undefined ? timeoutMs : FOREVER_MS
    // oxlint-disable-next-line no-unsafe-type-assertion -- the SDK types schemas of two zod versions
    return ask(scope, (asked) => client.request(message, schema as never, { ...asked, timeout }) as Promise<z.output<Schema>>)
  }

  async function close(): Promise<void> {
    if (closing.signal.aborted) return
    const timeout = AbortSignal.timeout(CLOSE_TIMEOUT_MS)
    if (transport.sessionId !== undefined) await scopes.run({ signal: timeout }, () => transport.terminateSession()).catch(() => {})
    closing.abort()
    for (const end of streams) end()
    await client.close().catch(() => {})
  }

  try {
    await ask({ signal }, (asked) => client.connect(transport, { timeout: timeoutMs, signal: asked.signal }))
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw setupFailure(server, 'initialize', error)
  }

  return {
    async listTools(listSignal) {
      const listing: ToolListing = { tools: new Map(), leftOut: [] }
      const cursors = new Set<string>()
      let cursor: string | undefined
      for (let page = 0; page < MAX_PAGES; page++) {
        const params = cursor === undefined ? {} : { cursor }
        const found = await request({ method: 'tools/list', params }, listPageSchema, { signal: listSignal }).catch((error: unknown) => {
          listSignal.throwIfAborted()
          throw setupFailure(server, 'tools/list', error)
        })
        for (const parsed of found.tools.map(parseTool)) {
          if (!parsed.ok) listing.leftOut.push({ name: parsed.name, why: parsed.why })
          else if (!listing.tools.has(parsed.tool.name)) listing.tools.set(parsed.tool.name, parsed.tool)
        }
        cursor = found.nextCursor
        if (cursor === undefined || cursors.has(cursor)) return listing
        cursors.add(cursor)
      }
      return listing
    },
    async call(tool, args, { toolCallId, written, signal: callSignal }) {
      try {
        const result = await request({ method: 'tools/call', params: { name: tool, arguments: args } }, callResultSchema, {
          signal: callSignal,
          tool,
          toolCallId,
          written,
        })
        return { kind: 'result', result }
      } catch (error) {
        if (error instanceof Failure || error instanceof SessionLost) throw error
        callSignal.throwIfAborted()
        if (error instanceof McpError && !isLocalError(error)) return { kind: 'rpc-error', code: error.code, message: error.message }
        throw lostAnswer(server, tool, `got an answer that cannot be read (${messageOf(error).slice(0, 200)})`, error)
      }
    },
    close,
  }
}

/** Errors the SDK raises itself: time-out and closed connection. A server may use the same codes, with words of its own. */
const isLocalError = (error: McpError) =>
  /^MCP error -3200[01]: (Connection closed|Request was cancelled|Request timed out|Maximum total timeout exceeded)$/.test(error.message)

function lostAnswer(server: string, tool: string | undefined, why: string, cause?: unknown): Failure {
  if (tool === undefined) return new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: `A request to ${server} ${why}.`, server, cause })
  return new Failure({ code: 'OUTCOME_UNKNOWN', message: `The call of ${tool} on ${server} ${why}: it may have run.`, server, cause })
}

function setupFailure(server: string, method: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  const lost = error instanceof SessionLost || (error instanceof McpError && isLocalError(error))
  const text = messageOf(error).slice(0, 300)
  return new Failure({
    code: lost ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_ERROR',
    message: `${server} did not answer ${method} as an MCP server does: ${text}.`,
    server,
    cause: error,
  })
}

/** Tells the scope when the body is over, and what is wrong with it when it is more than cut. While it is open, `streams` can end it. */
function watchEnd(response: Response, scope: Scope, streams: Set<() => void>): Response {
  if (!response.body || !/^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')) {
    scope.ended?.()
    return response
  }
  const reader = response.body.getReader()
  const end = () => void reader.cancel().catch(() => {})
  streams.add(end)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        controller.close()
      } catch (error) {
        if (error instanceof Failure) scope.failed?.(error)
        controller.error(error)
      }
      streams.delete(end)
      scope.ended?.()
    },
    cancel(reason) {
      streams.delete(end)
      return reader.cancel(reason)
    },
  })
  const { status, headers } = response
  return new Response(body, { status, headers })
}
