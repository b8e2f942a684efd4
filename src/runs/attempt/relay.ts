import { createRelay, type Choice, type Relay } from '../../agent/relay/relay.ts'
import { modelOfLast } from '../../core/rules/models/next.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { RunResources } from '../resources.ts'
import type { AttemptInput } from './input.ts'

/** The models that a job names, as one. `until`: see `RelayOptions`. */
export function relayOf(
  { providers, factsOf }: Pick<RunResources, 'providers' | 'factsOf'>,
  { history, warn }: Pick<AttemptInput, 'history' | 'warn'>,
  { model }: Pick<JobDefinition, 'model'>,
  until: number,
): Relay {
  const named = [model, ...model.fallback]
  const choices = named.flatMap(({ provider, name }, at): Choice[] => {
    const from = providers.get(provider)
    if (!from) return []
    // Two models of one provider do not read each other's thoughts.
    const isSecond = named.slice(0, at).some((one) => one.provider === provider)
    return [
      { provider, name, api: from.api, model: from.model(name, warn, isSecond ? name : undefined), price: factsOf(provider, name).price },
    ]
  })
  return createRelay({ choices, start: modelOfLast(choices, history.at(-1)), policy: model, until, warn })
}
