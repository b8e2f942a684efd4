import type { JobDefinition } from '../../jobs/schema.ts'
import type { Provider } from '../../models/openai/provider.ts'
import type { RunResources } from '../resources.ts'

interface Held extends Pick<RunResources, 'ceilings'> {
  providers: ReadonlyMap<string, Pick<Provider, 'canHost'>>
  accounts: Pick<RunResources['accounts'], 'has'>
  prices: Pick<RunResources['prices'], 'has'>
}

/**
 * What the configuration of this worker lacks for runs of a job, asked before anything is spent; undefined when nothing. That of another worker may have it: in a deployment
 * they change one after the other, and some hold less on purpose.
 */
export function lackOf(
  { providers, accounts, prices, ceilings }: Held,
  job: string,
  { account, model, delegate, limits }: Pick<JobDefinition, 'account' | 'model' | 'delegate' | 'limits'>,
): string | undefined {
  const provider = providers.get(model.provider)
  if (!provider) return `the provider ${model.provider}`
  if (!accounts.has(account)) return `the account ${account}`
  if (delegate === 'hosted' && !provider.canHost) return `the Responses API for the provider ${model.provider}`
  const isInMoney = limits.costUsd !== undefined || ceilings(job, account).some(({ costUsd }) => costUsd !== undefined)
  // Without one, a limit in money is none.
  if (isInMoney && !prices.has(model.name)) return `a price of the model ${model.name}`
  return undefined
}
