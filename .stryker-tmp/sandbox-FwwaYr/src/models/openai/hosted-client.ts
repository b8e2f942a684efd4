// @ts-nocheck
import OpenAI, { APIConnectionError, APIError } from 'openai'

type Event = OpenAI.Responses.ResponseStreamEvent
type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming

/** A provider that calls MCP servers itself. What goes wrong is thrown as it comes: its meaning depends on what may have run. */
export interface HostedModel {
  model: string
  /** The provider goes on without us, and an answer can be found again. */
  background: boolean
  ask(body: Omit<Create, 'model'>, signal: AbortSignal): Promise<AsyncIterable<Event>>
  /** The events of an answer from its beginning, and then as they come. */
  attach(responseId: string, signal: AbortSignal): Promise<AsyncIterable<Event>>
  cancel(responseId: string): Promise<void>
  /** Names a failure that is not about tools. */
  nameFailure(error: unknown): unknown
}

const CANCEL_TIMEOUT_MS = 5000

export function createHostedModel(options: {
  client: OpenAI
  model: string
  background: boolean
  store: boolean | undefined
  nameFailure: (error: unknown) => unknown
}): HostedModel {
  const { client, model, background, store, nameFailure } = options
  // A request that may have run tools is never sent again by the client.
  const once = { maxRetries: 0 }
  return {
    model,
    background,
    nameFailure,
    ask: (body, signal) =>
      client.responses.create(
        { ...body, model, stream: true, ...(background ? { background: true, store: true } : store !== undefined && { store }) },
        { ...once, signal },
      ),
    attach: (responseId, signal) => client.responses.retrieve(responseId, { stream: true }, { ...once, signal }),
    async cancel(responseId) {
      await client.responses.cancel(responseId, { ...once, timeout: CANCEL_TIMEOUT_MS })
    },
  }
}

const NOT_CONNECTED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT/

/** True when the provider provably did not begin: there was no connection, or it said no before anything ran. */
export function neverBegan(error: unknown): boolean {
  if (error instanceof APIConnectionError) return NOT_CONNECTED.test(codesOf(error))
  if (!(error instanceof APIError)) return false
  const status: number | undefined = error.status
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409
}

function codesOf(error: unknown): string {
  const codes: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  return codes.join(' ')
}

/** The label of the server whose tools the provider could not list, and the HTTP status it got (HTTP 424 of the provider). */
export function listingFault(error: unknown): { label: string; status: number | undefined } | undefined {
  if (!(error instanceof APIError)) return undefined
  const status: number | undefined = error.status
  if (status !== 424) return undefined
  const label = /MCP server: '([^']+)'/.exec(error.message)?.[1] ?? ''
  const upstream = /status code: (\d{3})/.exec(error.message)?.[1]
  return { label, status: upstream === undefined ? undefined : Number(upstream) }
}

/** The provider does not know the answer any more. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof APIError)) return false
  const status: number | undefined = error.status
  return status === 404
}
