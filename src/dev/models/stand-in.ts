import { Failure } from '../../core/failure.ts'
import type { ModelRequest, ModelTurn } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'

/** A model without a server. `name`: as the job has it. */
export type Respond = (request: ModelRequest, name: string) => Promise<ModelTurn>

/** A provider in whose place `respond` answers. */
export const standIn = (respond: Respond): Provider => ({
  api: 'responses',
  formatWithTools: true,
  canHost: true,
  runHeader: true,
  model: (name) => ({
    async respond(request, signal) {
      signal.throwIfAborted()
      return respond(request, name)
    },
  }),
  hosted() {
    throw new Failure({ code: 'JOB_INVALID', message: 'A stand-in cannot call servers itself.', cure: 'Write delegate: local.' })
  },
  probeHosted: async () => ({ passed: [], refused: [], reached: { kind: 'not-looked' } }),
  knows: async () => undefined,
  async close() {},
})

export const noTokens = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }

/** The same, asked for a model of another name. */
export const renamed = (provider: Provider, name: string | undefined): Provider =>
  name === undefined ? provider : { ...provider, model: (_, warn) => provider.model(name, warn) }

/** The one for requests of the job, the other for those of all other jobs. */
export const forJob = (job: string, provider: Provider, others: Provider): Provider => ({
  ...provider,
  model(name, warn) {
    const [one, other] = [provider.model(name, warn), others.model(name, warn)]
    return { respond: (request, signal, asked) => (request.labels?.job === job ? one : other).respond(request, signal, asked) }
  },
})
