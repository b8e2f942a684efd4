import { APIError } from 'openai'
import { counting } from '../asked.ts'
import type { ProviderWay } from '../connection.ts'
import { kindOfProvider } from '../../core/models/catalogue-kinds.ts'
import { modelFailure, type MissingKey } from '../errors/failure.ts'
import { fieldsIn, idIn, listIn } from '../foreign.ts'
import { createParameters, type Ask } from '../parameters.ts'
import type { Provider, Warn } from '../provider.ts'
import { originOf } from '../raw/keep.ts'
import { readAnswer } from '../raw/read.ts'
import { redactTurn } from '../redacted.ts'
import { createMessagesClient } from './client.ts'
import { createHostedModel } from './hosted/client.ts'
import { probeHosted } from './hosted/probe.ts'
import { createMessagesModel } from './messages.ts'
import { MESSAGES } from './parts.ts'

export interface ProviderOptions extends ProviderWay {
  name: string
  baseUrl: string | undefined
  /** Read for each request, so that a key is rotated without a restart. Undefined: the server wants none. */
  apiKey: () => string | undefined
  /** Why there is none, where there is none. */
  missingKey?: () => MissingKey | undefined
  /** What to do about a key that is not accepted. */
  keyCure?: string | undefined
  /** Stream answers: needed where something between cuts connections that are silent for long. */
  stream: boolean
  /** The provider is told whose a request is. */
  labels: boolean
  /** Longest wait for an answer to begin, and longest silence within it. */
  timeoutMs: number
  /** Most bytes of one answer, unpacked and with all that a stream sends around it. */
  maxResponseBytes: number
  /** An answer's format may be asked for while tools may still be called. */
  formatWithTools: boolean
  /** Most tokens of an answer that a model gives, where that is known. */
  maxTokensOf: (model: string) => number | undefined
  /** Takes secrets out of a text: all that a provider says passes it before anybody reads it. */
  redact: (text: string) => string
}

/** Most pages of models that are read. */
const MOST_PAGES = 20

const isNotFound = (error: unknown): boolean => {
  const status: number | undefined = error instanceof APIError ? error.status : undefined
  return status === 404
}

/** Makes a provider behind the Messages API of Anthropic: one pool of connections, and a model for each name asked. */
export function createProvider(options: ProviderOptions): Provider {
  const { redact, stream, labels } = options
  const client = createMessagesClient(options)
  const wantsKey = kindOfProvider('anthropic', options.baseUrl) !== undefined
  const nameFailure = (model: string) => (error: unknown) =>
    modelFailure(error, { provider: options.name, model, redact, missingKey: options.missingKey, keyCure: options.keyCure, wantsKey })
  const parameters = new Map<string, (warn: Warn) => Ask>()
  const askFor = (model: string, warn: Warn = () => {}): Ask => {
    const known = parameters.get(model) ?? createParameters(`${options.name}, model ${model},`, MESSAGES)
    parameters.set(model, known)
    return known(warn)
  }

  /** Whether one of the pages of its list has the model; undefined where there is no list. */
  async function isListed(name: string, signal: AbortSignal): Promise<boolean | undefined> {
    let afterId: string | undefined
    for (let page = 0; page < MOST_PAGES; page++) {
      const came = await readAnswer(await client.models({ signal, maxRetries: 0 }, afterId))
      const { data, has_more: hasMore, last_id: lastId } = fieldsIn(came.kind === 'whole' ? came.answer : undefined)
      if (!Array.isArray(data)) return undefined
      if (listIn(data).some(({ id }) => id === name)) return true
      afterId = idIn(lastId)
      if (hasMore !== true || afterId === undefined) return await isThere(name, signal)
    }
    return undefined
  }

  /** A name that stands for the newest of several models is in no list. */
  async function isThere(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      const came = await readAnswer(await client.modelBy(name, { signal, maxRetries: 0 }))
      return came.kind === 'whole' && idIn(fieldsIn(came.answer)['id']) !== undefined
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  return {
    api: 'anthropic',
    formatWithTools: options.formatWithTools,
    canHost: true,
    // Its connector sends a token, and no headers of ours.
    runHeader: false,
    hosted: (model, warn) =>
      createHostedModel({
        client,
        model,
        ask: askFor(model, warn),
        labels,
        maxTokens: options.maxTokensOf(model),
        nameFailure: nameFailure(model),
        redact,
      }),
    model(name, warn, mark) {
      const model = createMessagesModel({
        client,
        from: originOf('anthropic', options.name, mark),
        model: name,
        ask: askFor(name, warn),
        stream,
        labels,
        maxTokens: options.maxTokensOf(name),
      })
      return {
        async respond(request, signal, asked = { times: 0, seenBytes: 0 }) {
          try {
            return redactTurn(await counting(asked, () => model.respond(request, signal)), redact)
          } catch (error) {
            signal.throwIfAborted()
            throw nameFailure(name)(error)
          }
        },
      }
    },
    async probeHosted(model, target, signal) {
      const refused: string[] = []
      const ask = askFor(model, (message) => refused.push(redact(message)))
      const found = await probeHosted({ client, model, ask, nameFailure: nameFailure(model) }, target, signal)
      const { reached } = found
      return { ...found, refused, reached: 'said' in reached ? { ...reached, said: redact(reached.said) } : reached }
    },
    async knows(name, signal) {
      try {
        return await isListed(name, signal)
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw nameFailure(name)(error)
      }
    },
    close: () => client.close(),
  }
}
