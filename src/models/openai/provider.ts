import OpenAI, { APIError } from 'openai'
import type { Tier } from '../../core/models/settings.ts'
import { isOpenAi, kindOfProvider } from '../../core/models/catalogue-kinds.ts'
import { counting } from '../asked.ts'
import { createConnection, type ProviderWay } from '../connection.ts'
import { createChatModel } from './chat.ts'
import { modelFailure, type MissingKey } from '../errors/failure.ts'
import { fieldsIn, listIn } from '../foreign.ts'
import { readAnswer } from '../raw/read.ts'
import type { McpToken } from './hosted/access.ts'
import { probeHosted } from './hosted/probe.ts'
import { createHostedModel } from './hosted/client.ts'
import type { Provider, Warn } from '../provider.ts'
import { originOf } from '../raw/keep.ts'
import { isOfAzure, openAiKey } from '../key-headers.ts'
import { createParameters, type Ask } from '../parameters.ts'
import { OPENAI } from './parts.ts'
import { redactTurn } from '../redacted.ts'
import { createResponsesModel } from './responses.ts'

export interface ProviderOptions extends ProviderWay {
  name: string
  api: 'responses' | 'chat'
  baseUrl: string | undefined
  /** Of Azure: the query parameter `api-version`. */
  apiVersion?: string | undefined
  /** Read for each request, so that a key is rotated without a restart. Undefined: the server wants none. */
  apiKey: () => string | undefined
  /** Why there is none, where there is none. */
  missingKey?: () => MissingKey | undefined
  /** What to do about a key that is not accepted. */
  keyCure?: string | undefined
  /** Stream answers: needed where something between cuts connections that are silent for long. */
  stream: boolean
  store: boolean | undefined
  /** The provider is told what a request is for, and whose it is. */
  labels: boolean
  /** It is told which requests begin alike. Without it, OpenAI's own service alone is. */
  cacheKey?: boolean | undefined
  /** Background mode: the provider finishes a hosted answer without us, and it can be attached to again by its id. */
  background: boolean
  /** Where the mcp tool of a hosted answer has the account's token. */
  mcpToken: McpToken
  /** A hosted provider sends the run's id to the servers. */
  runHeader: boolean
  /** Longest wait for an answer to begin, and longest silence within it. */
  timeoutMs: number
  /** Most bytes of one answer, unpacked and with all that a stream sends around it. */
  maxResponseBytes: number
  /** An answer's format may be asked for while tools may still be called. */
  formatWithTools: boolean
  /** Takes secrets out of a text: all that a provider says passes it before anybody reads it. */
  redact: (text: string) => string
}

/** Immediate retries of a model call; in a local run it has no side effects. */
const QUICK_RETRIES = 2

/** What the client sends of its own accord. It also takes headers, and with them another key, from the environment (OPENAI_CUSTOM_HEADERS): the configuration alone says what is sent. */
const CLIENT_HEADERS = /^(accept|content-type|idempotency-key|user-agent|x-stainless-[a-z-]+)$/

function ownHeaders(given: Headers, key: string, isAzure: boolean): Headers {
  const own = new Headers([...given].filter(([name]) => CLIENT_HEADERS.test(name)))
  for (const [name, value] of Object.entries(openAiKey(key, isAzure))) own.set(name, value)
  return own
}

/** Makes a provider: one pool of connections, and a model for each name asked. */
export function createProvider(options: ProviderOptions): Provider {
  const { redact } = options
  const takesCacheKey = options.cacheKey ?? isOpenAi(options.baseUrl)
  const isAzure = options.apiVersion !== undefined || isOfAzure(options.baseUrl)
  const wantsKey = kindOfProvider(options.api, options.baseUrl) !== undefined
  let key = 'none'
  const connection = createConnection({ ...options, ownHeaders: (given) => ownHeaders(given, key, isAzure) })
  const client = new OpenAI({
    // Self-hosted servers often want no key; the client requires one.
    apiKey: async () => (key = options.apiKey() ?? 'none'),
    baseURL: options.baseUrl ?? null,
    ...(options.apiVersion !== undefined && { defaultQuery: { 'api-version': options.apiVersion } }),
    organization: null,
    project: null,
    maxRetries: QUICK_RETRIES,
    timeout: options.timeoutMs,
    logLevel: 'off',
    fetch: connection.fetch,
  })
  const nameFailure = (model: string, tier?: Tier) => (error: unknown) =>
    modelFailure(error, { provider: options.name, model, redact, tier, missingKey: options.missingKey, keyCure: options.keyCure, wantsKey })
  const parameters = new Map<string, (warn: Warn) => Ask>()
  const askFor = (model: string, warn: Warn = () => {}): Ask => {
    const known = parameters.get(model) ?? createParameters(`${options.name}, model ${model},`, OPENAI)
    parameters.set(model, known)
    return known(warn)
  }
  return {
    api: options.api,
    formatWithTools: options.formatWithTools,
    canHost: options.api === 'responses',
    runHeader: options.runHeader,
    hosted: (model, warn) =>
      createHostedModel({
        client,
        model,
        ask: askFor(model, warn),
        background: options.background,
        mcpToken: options.mcpToken,
        store: options.store,
        labels: options.labels,
        cacheKey: takesCacheKey,
        nameFailure: nameFailure(model),
        redact,
      }),
    model(name, warn, mark) {
      const adapter = {
        client,
        from: originOf(options.api, options.name, mark),
        model: name,
        ask: askFor(name, warn),
        stream: options.stream,
        store: options.store,
        labels: options.labels,
        isOpenAi: isOpenAi(options.baseUrl),
        cacheKey: takesCacheKey,
      }
      const model = options.api === 'chat' ? createChatModel(adapter) : createResponsesModel(adapter)
      return {
        async respond(request, signal, asked = { times: 0, seenBytes: 0 }) {
          try {
            return redactTurn(await counting(asked, () => model.respond(request, signal)), redact)
          } catch (error) {
            signal.throwIfAborted()
            throw nameFailure(name, request.settings?.tier)(error)
          }
        },
      }
    },
    async probeHosted(model, target, signal) {
      const { background, mcpToken, store, labels } = options
      const refused: string[] = []
      const ask = askFor(model, (message) => refused.push(redact(message)))
      const found = await probeHosted(
        { client, model, background, mcpToken, store, labels, ask, nameFailure: nameFailure(model) },
        target,
        signal,
      )
      const { reached } = found
      return { ...found, refused, reached: 'said' in reached ? { ...reached, said: redact(reached.said) } : reached }
    },
    async knows(name, signal) {
      try {
        const came = await readAnswer(await client.models.list({ signal, maxRetries: 0 }).asResponse())
        const { data } = fieldsIn(came.kind === 'whole' ? came.answer : undefined)
        return Array.isArray(data) ? listIn(data).some(({ id }) => id === name || id === `models/${name}`) : undefined
      } catch (error) {
        const status: number | undefined = error instanceof APIError ? error.status : undefined
        if (status === 404) return undefined
        throw nameFailure(name)(error)
      }
    },
    close: connection.close,
  }
}
