import { APIConnectionError, APIError } from 'openai'
import { Failure } from '../../../core/failure.ts'
import { isNeverConnected } from '../../../lib/net/connection-error.ts'
import { seenIn } from '../../asked.ts'
import { brokenAnswer } from '../../errors/endings.ts'
import { isRefusal, unsentIn } from '../../errors/failure.ts'
import type { HostedError, HostedEvent, HostedModel, HostedRequest } from '../../hosted.ts'
import { createServerNames } from '../../hosted/server-label.ts'
import type { Asked } from '../../model.ts'
import type { Ask } from '../../parameters.ts'
import { readAnswer } from '../../raw/read.ts'
import { redactEvents } from '../../redacted.ts'
import type { MessagesClient } from '../client.ts'
import { continued, MOST_PAUSES } from '../messages.ts'
import { hostedBody, type HostedBody } from './request.ts'
import { createTranslator, eventsOfMessage } from './events.ts'

/** The version of the API with its MCP connector, in which an answer says whose tools were listed. */
export const MCP_BETA = 'mcp-client-2026-09-15'

export interface HostedOptions {
  client: MessagesClient
  model: string
  ask: Ask
  labels: boolean
  /** Most tokens of an answer that the model gives, where that is known. */
  maxTokens: number | undefined
  nameFailure: (error: unknown) => unknown
  redact: (text: string) => string
}

/** Hosted delegation by the MCP connector of the Messages API: it sends the token of an account, and no headers of ours. It has no background mode. */
export function createHostedModel({ client, model, ask, labels, maxTokens, nameFailure, redact }: HostedOptions): HostedModel {
  /** Errors of requests that went on with an answer: calls of it may have run. */
  const later = new WeakSet<object>()
  const isLater = (error: unknown): boolean => typeof error === 'object' && error !== null && later.has(error)
  const post = (body: object, signal: AbortSignal) => client.post(body, { signal, maxRetries: 0, beta: MCP_BETA })

  /** One answer, from its first event to its last. */
  async function* eventsOf(
    first: Response,
    body: HostedBody,
    { servers, signal, asked }: { servers: HostedRequest['servers']; signal: AbortSignal; asked: Asked | undefined },
  ): AsyncGenerator<HostedEvent> {
    let came = await readAnswer(first)
    const { requestId } = came
    const translate = createTranslator({ servers, model, requestId })
    // It has no field for the most calls.
    yield { kind: 'opened', requestId, isLimited: false }
    for (let pauses = 0; ; pauses++) {
      if (came.kind === 'whole') for (const event of eventsOfMessage(came.answer)) yield* translate.event(event)
      // oxlint-disable-next-line waits/bounded -- the signal of the request ends it, and the provider's connections bound its silence
      else for await (const event of seenIn(came.events, asked)) yield* translate.event(event)
      const before = translate.goOn()
      if (!before) return yield* translate.end()
      if (pauses === MOST_PAUSES) throw brokenAnswer({ model, requestId }, `took a break ${MOST_PAUSES} times`)
      try {
        came = await readAnswer(await post(continued(body, before), signal))
      } catch (error) {
        if (typeof error === 'object' && error !== null) later.add(error)
        throw error
      }
    }
  }

  return {
    model,
    background: false,
    nameFailure(error) {
      const failure = nameFailure(error)
      // What the answer was until then is paid, whatever is said of the request that was to go on with it.
      return isLater(error) && failure instanceof Failure
        ? new Failure({ ...failure.toJSON(), cause: new Error(failure.message) })
        : failure
    },
    classifyError: (error, servers) => (isLater(error) ? { kind: 'other' } : classify(error, servers)),
    async ask(request, signal, asked) {
      const body = hostedBody(request, { model, labels, maxTokens })
      let sent = body
      const response = await ask(body, async (taken) => await post((sent = taken), signal), request.settings)
      return redactEvents(eventsOf(response, sent, { servers: request.servers, signal, asked }), redact)
    },
    attach: () => Promise.reject(new Error(NO_BACKGROUND)),
    cancel: () => Promise.reject(new Error(NO_BACKGROUND)),
  }
}

const NO_BACKGROUND = 'the Messages API has no background mode'

/** What is said of a server whose tools cannot be listed: the request fails as a whole, before the model is asked. */
const LISTING =
  /\bcommunicating with (?:the )?MCP server\b|\bMCP server\b.{0,80}\blisting tools\b|\bauthori[sz]ation token for MCP server\b|\bconnect to MCP server\b/i
const NAMED = /\bMCP server ['"]([^'"]{1,256})['"]/i
const UNAUTHORIZED = /\bauthenticat|\bauthori[sz]ation token\b|\b401\b/i

/** What a message says of a server that could not be listed; undefined where it is about something else. */
export function listingIn(message: string, servers: readonly string[]): Extract<HostedError, { kind: 'listing' }> | undefined {
  if (!LISTING.test(message)) return undefined
  const label = NAMED.exec(message)?.[1]
  const [only = '', ...others] = servers
  const server = label !== undefined ? createServerNames(servers)(label) : others.length === 0 ? only : ''
  const status = /\b(?:status|HTTP)(?: code)?:? (\d{3})\b/i.exec(message)?.[1]
  return { kind: 'listing', server, status: status !== undefined ? Number(status) : UNAUTHORIZED.test(message) ? 401 : undefined }
}

function classify(error: unknown, servers: readonly string[]): HostedError {
  if (error instanceof APIConnectionError) return isNeverConnected(error) ? { kind: 'never-began' } : { kind: 'other' }
  if (!(error instanceof APIError)) return { kind: unsentIn(error) ? 'never-began' : 'other' }
  const status: number | undefined = error.status
  // The connection stood: it came with the answer.
  if (status === undefined) return { kind: 'said' }
  return listingIn(error.message, servers) ?? { kind: isRefusal(status) ? 'never-began' : 'other' }
}
