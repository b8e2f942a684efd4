import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { z } from 'zod'
import { Failure, messageOf } from '../../core/failure.ts'
import { SessionLost, type GatewayFetch } from '../../core/ports/gateway.ts'
import { VERSION } from '../../lib/version.ts'
import { callResultSchema, promptResultSchema, promptTexts, readResultSchema, resourceBlocks } from '../content.ts'
import { listAllTools } from '../tools/listing.ts'
import { createAnswerReader } from './answers.ts'
import { createExchanges, type RequestPurpose } from './exchange.ts'
import { isLocalError, lostAnswer, notResumed, rpcErrorOf, setupFailure } from './failures.ts'
import { ARGUMENTS, createSessionFetch } from './fetch.ts'
import { createOpenStreams } from './stream.ts'
import type { CallAnswer, McpSession, PromptAnswer, ReadAnswer, RpcError, ServerAbout, SetupContext } from './types.ts'

export interface SessionOptions {
  server: string
  url: string
  fetch: GatewayFetch
  /** Largest request body: the route's max_request_bytes. */
  maxRequestBytes: number
  /** Longest wait for the answer to initialize and to a page of the list. */
  timeoutMs: number
  /** Most bytes of an answer with all that it is resumed from, and of a list over its pages. */
  maxResponseBytes: number
  /** Takes secrets out of everything that the server says. */
  redact: (text: string) => string
}

const CLIENT = { name: 'nightshift', version: VERSION }
/** SDK: each client makes a validator of its own otherwise, 17 KB that nothing uses. */
const OPTIONS = { capabilities: {}, jsonSchemaValidator: new AjvJsonSchemaValidator() }
const CLOSE_TIMEOUT_MS = 2000
/** A call may take until its signal ends. */
const FOREVER_MS = 2_147_483_647

/** Opens a session: initialize and its notification. Failures are `Failure`s. */
export async function openSession({ server, url, timeoutMs, ...options }: SessionOptions, signal: AbortSignal): Promise<McpSession> {
  const closing = new AbortController()
  const exchanges = createExchanges(server)
  const streams = createOpenStreams()
  const client = new Client(CLIENT, OPTIONS)
  const answers = createAnswerReader({ ...options, server, streams })
  const fetch = createSessionFetch({ ...options, server, exchanges, answers, closing: closing.signal })
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch })
  // SDK: when it gives up resuming, it says so here alone, and the request would wait for ever.
  // oxlint-disable-next-line prefer-add-event-listener -- the client has no events, only this hook
  client.onerror = (error) => {
    const scope = exchanges.current()
    if (scope && /Maximum reconnection attempts/.test(error.message)) scope.failed(notResumed(server, scope.tool))
  }

  function request<Schema extends z.ZodType>(
    message: { method: string; params: Record<string, unknown> },
    schema: Schema,
    purpose: RequestPurpose,
  ): Promise<z.output<Schema>> {
    const timeout = purpose.toolCallId === undefined ? timeoutMs : FOREVER_MS
    // oxlint-disable-next-line no-unsafe-type-assertion -- the SDK types schemas of two zod versions
    return exchanges.run(purpose, (own) => client.request(message, schema as never, { ...own, timeout }) as Promise<z.output<Schema>>)
  }

  let closed = false
  async function close(): Promise<void> {
    if (closed) return
    closed = true
    const timer = setTimeout(() => closing.abort(), CLOSE_TIMEOUT_MS)
    if (transport.sessionId !== undefined) await transport.terminateSession().catch(() => {})
    clearTimeout(timer)
    closing.abort()
    streams.end()
    await client.close().catch(() => {})
  }

  try {
    await exchanges.run({ signal }, (own) => client.connect(transport, { timeout: timeoutMs, signal: own.signal }))
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw setupFailure(server, 'initialize', error)
  }

  /** A JSON-RPC error is an answer of the server; all else that goes wrong is a failure. */
  async function answered<T>(
    tool: string | undefined,
    { signal: callSignal }: SetupContext,
    work: () => Promise<T>,
  ): Promise<T | RpcError> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Failure || error instanceof SessionLost) throw error
      callSignal.throwIfAborted()
      if (error instanceof McpError && !isLocalError(error)) return rpcErrorOf(error)
      throw lostAnswer(server, tool, `got an answer that cannot be read (${messageOf(error).slice(0, 200)})`, error)
    }
  }

  return {
    about: aboutOf(client),
    async listTools(allow, listSignal) {
      const received = { bytes: 0 }
      try {
        return await listAllTools(
          (params, schema) => request({ method: 'tools/list', params }, schema, { signal: listSignal, received }),
          allow,
        )
      } catch (error) {
        listSignal.throwIfAborted()
        throw setupFailure(server, 'tools/list', error)
      }
    },
    call: (tool, args, context) =>
      answered<CallAnswer>(tool, context, async () => {
        const purpose = { ...context, tool, arguments: args }
        const message = { method: 'tools/call', params: { name: tool, arguments: ARGUMENTS } }
        return { kind: 'result', result: await request(message, callResultSchema, purpose) }
      }),
    read: (uri, context) =>
      answered<ReadAnswer>(undefined, context, async () => {
        const result = await request({ method: 'resources/read', params: { uri } }, readResultSchema, context)
        return { kind: 'blocks', blocks: resourceBlocks(result) }
      }),
    prompt: (name, args, context) =>
      answered<PromptAnswer>(undefined, context, async () => {
        const result = await request({ method: 'prompts/get', params: { name, arguments: args } }, promptResultSchema, context)
        return { kind: 'text', text: promptTexts(result) }
      }),
    close,
  }
}

function aboutOf(client: Client): ServerAbout {
  return {
    title: client.getServerVersion()?.title,
    instructions: client.getInstructions(),
    hasResources: client.getServerCapabilities()?.resources !== undefined,
  }
}
