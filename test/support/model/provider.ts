import type { ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { Failure } from '../../../src/core/failure.ts'
import type { Asked, ModelRequest } from '../../../src/models/model.ts'
import { createProvider as createAnthropic } from '../../../src/models/anthropic/provider.ts'
import { createProvider } from '../../../src/models/openai/provider.ts'
import { serveHttp } from '../net/listen.ts'

export type Way = 'responses' | 'chat' | 'hosted' | 'messages'

export interface ProviderBehaviour {
  way: Way
  stream: boolean
  maxResponseBytes?: number
  timeoutMs?: number
  store?: boolean
  labels?: boolean
  cacheKey?: boolean
  request?: Partial<ModelRequest>
  warn?: (message: string) => void
  apiKey?: () => string | undefined
}

/** A provider whose every answer is `answer`. */
export async function openProvider(
  {
    way,
    stream,
    maxResponseBytes = 1_000_000,
    timeoutMs = 50_000,
    store,
    labels,
    cacheKey,
    warn,
    apiKey,
    request: asked,
  }: ProviderBehaviour,
  answer: (res: ServerResponse, body: unknown) => void,
) {
  await using building = new AsyncDisposableStack()
  const server = building.use(await serveHttp(async (req, res) => answer(res, req.method === 'GET' ? undefined : await json(req))))
  const options = {
    name: 'odd',
    baseUrl: server.url,
    apiKey: apiKey ?? (() => undefined),
    stream,
    store,
    labels: labels ?? false,
    cacheKey,
    background: false,
    mcpToken: 'headers' as const,
    runHeader: true,
    timeoutMs,
    maxResponseBytes,
    formatWithTools: true,
    maxTokensOf: () => undefined,
    redact: (text: string) => text,
  }
  const provider =
    way === 'messages' ? createAnthropic(options) : createProvider({ ...options, api: way === 'chat' ? 'chat' : 'responses' })
  building.defer(() => provider.close())
  const { signal } = new AbortController()
  const request = { instructions: undefined, prompt: 'Do it.', exchanges: [], tools: [], mayCall: true, output: undefined, ...asked }

  let judged: string | undefined
  const counted: Asked = { times: 0, seenBytes: 0 }
  async function respond(): Promise<unknown> {
    if (way !== 'hosted') return provider.model('m', warn).respond(request, signal, counted)
    const hosted = provider.hosted('m', warn)
    try {
      for await (const event of await hosted.ask({ ...request, servers: [], maxToolCalls: 1 }, signal)) void event
    } catch (error) {
      judged = hosted.classifyError(error, []).kind
      throw hosted.nameFailure(error)
    }
    return undefined
  }
  const stack = building.move()
  return {
    /** What the model says, or what the request fails with. */
    ask: () => respond().catch((error: unknown) => error),
    /** What became of the requests. */
    counted,
    /** What a hosted run takes the last error for. */
    judged: () => judged,
    /** Whether the provider lists a model, or the code with which that fails. */
    knows: (model: string) => provider.knows(model, signal).catch((error: unknown) => (error instanceof Failure ? error.code : error)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
