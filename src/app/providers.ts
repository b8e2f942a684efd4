import type { Config } from '../config/load.ts'
import { createProvider as createAnthropic } from '../models/anthropic/provider.ts'
import { createProvider as createOpenai } from '../models/openai/provider.ts'
import type { MissingKey } from '../models/errors/failure.ts'
import type { Provider } from '../models/provider.ts'

type Provided = Config['providers'][string]

interface Opened {
  name: string
  apiKey: () => string | undefined
  missingKey: () => MissingKey | undefined
  /** What to do about a key that is not accepted. */
  keyCure: string
  /** Most tokens of an answer that a model gives, where that is known. */
  maxTokensOf: (model: string) => number | undefined
  redact: (text: string) => string
}

/** The provider of a configuration, by the API that it speaks. */
export function openProvider(opened: Opened, provided: Provided): Provider {
  const { api, answerTimeout: timeoutMs, metadata: labels, ...rest } = provided
  const options = { ...rest, ...opened, baseUrl: provided.baseUrl, store: provided.store, timeoutMs, labels }
  return api === 'anthropic' ? createAnthropic(options) : createOpenai({ ...options, api })
}

/** It speaks an API in which a model can call MCP servers itself. */
export const hostsOf = (provided: Provided | undefined): boolean => provided !== undefined && provided.api !== 'chat'

/** It can send the run's id to the servers that its model calls. */
export const tellsRun = (provided: Provided | undefined): boolean => provided?.api !== 'anthropic' && provided?.runHeader !== false
