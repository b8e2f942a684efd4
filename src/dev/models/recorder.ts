import type { ModelTurn } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'
import { noTokens } from './stand-in.ts'
import { wordsOf, type Recording } from './recording.ts'

export interface Recorder {
  /** The same provider; each of its answers is written down. */
  wrap(provider: Provider): Provider
  /** What the model said in a run, in order. */
  turnsOf(runId: string): { model: string; turns: Recording['turns'] }
}

export function createRecorder(): Recorder {
  const runs = new Map<string, ModelTurn[]>()
  return {
    wrap: (provider) => ({
      ...provider,
      model(name, warn) {
        const model = provider.model(name, warn)
        return {
          async respond(request, signal, asked) {
            const turn = await model.respond(request, signal, asked)
            const run = request.labels?.run ?? ''
            runs.set(run, [...(runs.get(run) ?? []), turn])
            return turn
          },
        }
      },
    }),
    turnsOf(runId) {
      const turns = runs.get(runId) ?? []
      return {
        model: turns.at(-1)?.model ?? '',
        turns: turns.map(({ items, stopReason, usage }) => {
          const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = usage ?? noTokens
          return { items: wordsOf(items), stopReason, usage: { inputTokens, cachedTokens, outputTokens, reasoningTokens } }
        }),
      }
    },
  }
}
