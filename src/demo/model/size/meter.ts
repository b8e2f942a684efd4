import { badRequest, type Api, type Refusal } from '../vendors/vendor.ts'
import { createPrefixCache } from './cache.ts'
import { partsOf, tokensIn } from './tokens.ts'

/** What a request is counted as. */
export interface Counted {
  inputTokens: number
  cachedTokens: number
}

type Request = Readonly<Record<string, unknown>> & { model: string }

export type Meter = ReturnType<typeof createMeter>

/** Counts what requests say, keeps the windows of models, and remembers how requests began. `windows`: tokens by model; others take anything. */
export function createMeter(windows: Readonly<Record<string, number>>) {
  const cache = createPrefixCache()
  const sizeOf = (request: Request) => partsOf(request).reduce((sum, part) => sum + tokensIn(part), 0)
  return {
    /** Refuses what does not fit together with the answer that it asks for. */
    refuse(api: Api, request: Request): Refusal | undefined {
      const window = windows[request.model]
      if (window === undefined) return undefined
      const input = sizeOf(request)
      const asked = Number(request['max_output_tokens'] ?? request['max_completion_tokens'] ?? request['max_tokens'] ?? 0)
      if (input + asked <= window) return undefined
      if (api === 'responses')
        return badRequest('Your input exceeds the context window of this model. Please adjust your input and try again.', {
          param: 'input',
          code: 'context_length_exceeded',
        })
      return badRequest(
        `This model's maximum context length is ${window} tokens. However, your messages resulted in ${input} tokens. Please reduce the length of the messages.`,
        { param: 'messages', code: 'context_length_exceeded' },
      )
    },
    count(request: Request): Counted {
      const inputTokens = sizeOf(request)
      const key = JSON.stringify([request.model, request['prompt_cache_key']])
      return { inputTokens, cachedTokens: Math.min(cache.look(key, partsOf(request)), inputTokens) }
    },
  }
}
