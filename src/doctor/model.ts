import type { Provider } from '../models/provider.ts'
import { failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'

/** Longest wait for the answer of a model that is asked a word. */
export const MODEL_MS = 30_000
/** A check is not retried, so the cure must not promise a retry. */
const UNREACHED = (name: string) => `Check providers.${name}.baseUrl, the network, and whether the provider is well.`

/** A model that jobs name: that the provider lists it, or with `spend` that it answers a word. */
export async function checkModel(
  name: string,
  provider: Provider | undefined,
  model: string,
  { spend, signal }: { spend: boolean; signal: AbortSignal },
): Promise<Finding> {
  const check = `model ${name}/${model}`
  if (!provider) return failed(check, `There is no provider ${name}.`, 'Add it under providers: in the configuration.')
  try {
    if (!spend) {
      const known = await provider.knows(model, signal)
      return known === undefined
        ? skipped(check, 'the provider lists no models; --spend asks it a word')
        : known
          ? ok(check, 'the provider lists it')
          : failed(check, 'The provider does not list it.', 'Correct model.name in the job.')
    }
    const turn = await provider
      .model(model)
      .respond({ instructions: undefined, prompt: 'Say ok.', exchanges: [], tools: [], mayCall: false, output: undefined }, signal)
    if (turn.usage) return ok(check, `it answers; ${turn.usage.inputTokens + turn.usage.outputTokens} tokens`)
    return warning(
      check,
      'It answers, and does not say how many tokens it used: limits and budgets are kept by an estimate, and costs are not known.',
      'Let the server send usage (of a stream: stream_options.include_usage), if it can.',
    )
  } catch (error) {
    return failedBy(check, error, UNREACHED(name))
  }
}
