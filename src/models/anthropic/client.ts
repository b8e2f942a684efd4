import type Anthropic from '@anthropic-ai/sdk'
import { APIConnectionError, APIError, APIUserAbortError } from 'openai'
import { messageOf } from '../../core/failure.ts'
import { createConnection, type ProviderWay } from '../connection.ts'
import { fieldsIn, textIn } from '../foreign.ts'
import { anthropicKey } from '../key-headers.ts'

export interface ClientOptions extends ProviderWay {
  name: string
  baseUrl: string | undefined
  apiKey: () => string | undefined
  timeoutMs: number
  maxResponseBytes: number
}

export interface PostOptions {
  signal: AbortSignal
  /** Of the client itself; without it, `QUICK_RETRIES`. */
  maxRetries?: number
  /** A version of the API that is not for everybody yet. */
  beta?: string
}

/** The client of Anthropic’s API. What goes wrong is thrown as the errors of OpenAI’s client, which stand for those of every client. */
export interface MessagesClient {
  post(body: object, options: PostOptions): Promise<Response>
  /** One page of the models that there are. */
  models(options: PostOptions, afterId: string | undefined): Promise<Response>
  /** One model, also by another name of it. */
  modelBy(name: string, options: PostOptions): Promise<Response>
  close(): Promise<void>
}

/** Immediate retries of a model call; in a local run it has no side effects. */
const QUICK_RETRIES = 2
const OWN_ADDRESS = 'https://api.anthropic.com'
/** What the client sends of its own accord. It also takes headers, and with them another key, from the environment (ANTHROPIC_CUSTOM_HEADERS): the configuration alone says what is sent. */
const CLIENT_HEADERS = /^(accept|content-type|user-agent|x-stainless-[a-z-]+)$/
/** How the version of a request goes past the headers of the environment. */
const BETA = 'nightshift-beta'
const VERSION = '2023-06-01'

/** Makes a client with a pool of connections. It is loaded when it is first used. */
export function createMessagesClient(options: ClientOptions): MessagesClient {
  const { baseUrl, apiKey } = options
  let key: string | undefined
  const ownHeaders = (given: Headers): Headers => {
    const own = new Headers([...given].filter(([name]) => CLIENT_HEADERS.test(name)))
    own.set('anthropic-version', VERSION)
    const beta = given.get(BETA)
    if (beta !== null) own.set('anthropic-beta', beta)
    for (const [name, value] of Object.entries(key === undefined ? {} : anthropicKey(key, baseUrl))) own.set(name, value)
    return own
  }
  const connection = createConnection({ ...options, ownHeaders })
  let loaded: Promise<Anthropic> | undefined
  const load = async () => {
    const { default: Client } = await import('@anthropic-ai/sdk')
    return new Client({
      apiKey: 'of the connection',
      webhookKey: null,
      // Its paths begin with /v1, with which addresses of other servers end.
      baseURL: (baseUrl ?? OWN_ADDRESS).replace(/\/v1\/?$/, ''),
      maxRetries: QUICK_RETRIES,
      timeout: options.timeoutMs,
      logLevel: 'off',
      openTelemetry: false,
      fetch: connection.fetch,
    })
  }
  async function send(work: (client: Anthropic) => Promise<Response>): Promise<Response> {
    try {
      key = apiKey()
    } catch (cause) {
      throw new Error(messageOf(cause), { cause })
    }
    const client = await (loaded ??= load())
    try {
      return await work(client)
    } catch (error) {
      throw await asThrown(error)
    }
  }
  const sent = ({ signal, maxRetries, beta }: PostOptions) => ({
    signal,
    ...(maxRetries !== undefined && { maxRetries }),
    headers: beta === undefined ? {} : { [BETA]: beta },
  })
  return {
    post: (body, about) => send((client) => client.post('/v1/messages', { body, ...sent(about) }).asResponse()),
    models: (about, afterId) =>
      send((client) =>
        client
          .get('/v1/models', { query: { limit: PAGE, ...(afterId !== undefined && { after_id: afterId }) }, ...sent(about) })
          .asResponse(),
      ),
    modelBy: (name, about) => send((client) => client.get(`/v1/models/${encodeURIComponent(name)}`, sent(about)).asResponse()),
    close: connection.close,
  }
}

/** Most models on a page. */
const PAGE = 1000

/** An error of this client as one that says the same. */
async function asThrown(error: unknown): Promise<unknown> {
  const { APIError: Told, APIConnectionError: Lost, APIUserAbortError: Aborted } = await import('@anthropic-ai/sdk')
  if (error instanceof Aborted) return new APIUserAbortError()
  if (error instanceof Lost) return new APIConnectionError({ message: error.message, cause: error })
  if (!(error instanceof Told)) return error
  const { status, headers, error: body }: { status: number | undefined; headers: Headers | undefined; error: unknown } = error
  // Of a body that could not be read there is the message alone, which begins with the status.
  if (body === undefined) return new APIError(status, undefined, error.message.replace(/^\d{3} /, ''), headers)
  const said = fieldsIn(fieldsIn(body)['error'] ?? body)
  const code = textIn(fieldsIn(said['details'])['error_code']) ?? said['code']
  return new APIError(status, { ...said, code }, undefined, headers)
}
