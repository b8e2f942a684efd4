import OpenAI, { APIConnectionError, APIError } from 'openai'
import { isNeverConnected } from '../../../lib/net/connection-error.ts'
import type { HostedError, HostedModel, HostedRequest } from '../../hosted.ts'
import { unsentIn } from '../../errors/failure.ts'
import { redactEvents } from '../../redacted.ts'
import { labelFields } from '../fields.ts'
import type { Ask } from '../../parameters.ts'
import { accessOf, type McpToken } from './access.ts'
import { createServerNames, serverLabel } from '../../hosted/server-label.ts'
import { responsesFields } from '../settings.ts'
import { eventsOf, isWhole, polledEvents } from './streams.ts'

type Create = OpenAI.Responses.ResponseCreateParams

const CANCEL_TIMEOUT_MS = 5000

/** Hosted delegation behind the Responses API: each server is an `mcp` tool. */
export function createHostedModel(options: {
  client: OpenAI
  model: string
  background: boolean
  mcpToken: McpToken
  ask: Ask
  store: boolean | undefined
  /** The provider is told what a request is for, and whose it is. */
  labels: boolean
  /** The provider is told which requests begin alike. */
  cacheKey: boolean
  nameFailure: (error: unknown) => unknown
  redact: (text: string) => string
}): HostedModel {
  const { client, model, ask, background, mcpToken, store, labels, cacheKey, nameFailure, redact } = options
  // No retries by the client: a request may already have run tools.
  const once = { maxRetries: 0 }
  /** A background answer can be read as events. */
  let canStream = true
  return {
    model,
    background,
    nameFailure,
    classifyError,
    async ask(request, signal, asked) {
      const kept = background ? { background: true, store: true } : store !== undefined && { store }
      const fields = labelFields(request.labels, { isTold: labels, hasMetadata: true })
      const body = {
        ...bodyOf(cacheKey ? request : { ...request, cacheKey: undefined }, mcpToken, client.baseURL),
        model,
        ...kept,
        ...fields,
      }
      let isLimited = true
      const send = (taken: Create) => {
        isLimited = 'max_tool_calls' in taken
        return client.responses.create(taken, { ...once, signal }).asResponse()
      }
      const response = await ask<Create, Response>({ ...body, stream: true }, send).catch((error: unknown) => {
        if (!background || !refusesStream(error)) throw error
        canStream = false
        return ask(body, send)
      })
      return redactEvents(eventsOf(client, response, { servers: request.servers, model }, { asked, isLimited }), redact)
    },
    async attach(responseId, servers, signal, asked) {
      const about = { servers, model }
      const retrieve = (query: { stream?: true }) => client.responses.retrieve(responseId, query, { ...once, signal }).asResponse()
      const first = canStream ? await retrieve({ stream: true }).catch(unlessNoStream) : undefined
      if (first && !isWhole(first)) return redactEvents(eventsOf(client, first, about, { asked }), redact)
      canStream = false
      return redactEvents(
        polledEvents(async () => retrieve({}), about, { first, signal }),
        redact,
      )
    },
    async cancel(responseId, servers) {
      const response = await client.responses.cancel(responseId, { ...once, signal: AbortSignal.timeout(CANCEL_TIMEOUT_MS) }).asResponse()
      return redactEvents(eventsOf(client, response, { servers, model }), redact)
    },
  }
}

function bodyOf(
  { instructions, prompt, output, servers, maxToolCalls, settings, cacheKey, compactAt }: HostedRequest,
  mcpToken: McpToken,
  baseUrl: string,
): Omit<Create, 'model'> {
  return {
    input: [{ role: 'user', content: prompt }],
    ...(maxToolCalls > 0 && { max_tool_calls: maxToolCalls }),
    ...(instructions !== undefined && { instructions }),
    // What it would leave out otherwise (truncation) is not asked for: nobody would know of it.
    ...(compactAt !== undefined && { context_management: [{ type: 'compaction', compact_threshold: compactAt }] }),
    tools: servers.map(({ name, url, tools, headers }) => ({
      type: 'mcp',
      server_label: serverLabel(name),
      server_url: url,
      ...accessOf(headers, mcpToken),
      allowed_tools: [...tools],
      require_approval: 'never',
    })),
    ...responsesFields({ settings, cacheKey }, output && { type: 'json_schema' as const, ...output }, baseUrl),
  }
}

/** Statuses with which servers refuse to stream an answer that they have. */
const NO_STREAM = new Set([400, 405, 406, 415, 422, 501])
const hasStatusOf = (statuses: ReadonlySet<number>, error: unknown): error is APIError => {
  const status: number | undefined = error instanceof APIError ? error.status : undefined
  return status !== undefined && statuses.has(status)
}

const unlessNoStream = (error: unknown): undefined => {
  if (!hasStatusOf(NO_STREAM, error)) throw error
}

/** Some servers have either, and refuse a request for both: nothing ran. */
const refusesStream = (error: unknown) =>
  hasStatusOf(NO_STREAM, error) && /\bstream/i.test(error.message) && /\bbackground/i.test(error.message)

const FAILED_DEPENDENCY = 424
/** Time-out and conflict: the provider may still be at work. */
const MAY_HAVE_BEGUN = new Set([408, 409])

function classifyError(error: unknown, servers: readonly string[]): HostedError {
  if (error instanceof APIConnectionError) return isNeverConnected(error) ? { kind: 'never-began' } : { kind: 'other' }
  if (!(error instanceof APIError)) return { kind: unsentIn(error) ? 'never-began' : 'other' }
  const status: number | undefined = error.status
  // The connection stood: it came with the answer.
  if (status === undefined) return { kind: /\bmax_tool_calls\b/.test(error.message) ? 'limit' : 'said' }
  if (status === FAILED_DEPENDENCY) {
    const label = /MCP server: '([^']+)'/.exec(error.message)?.[1] ?? ''
    const upstream = /status code: (\d{3})/.exec(error.message)?.[1]
    return { kind: 'listing', server: createServerNames(servers)(label), status: upstream === undefined ? undefined : Number(upstream) }
  }
  if (status === 404) return { kind: 'gone' }
  return status >= 400 && status < 500 && !MAY_HAVE_BEGUN.has(status) ? { kind: 'never-began' } : { kind: 'other' }
}
