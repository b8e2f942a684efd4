import type { Tier } from '../models/settings.ts'
import type { Ceiling } from './spending/budget.ts'
import { hasPriceAt, type Price } from './spending/price.ts'

interface Held {
  providers: ReadonlyMap<string, { canHost: boolean; runHeader: boolean }>
  /** Accounts of which each run gets one of its own. */
  perRun: { has(name: string): boolean }
  accounts: { has(name: string): boolean }
  factsOf: (provider: string, model: string) => { price: Price | undefined }
  /** The daily ceilings of a job and its account. */
  ceilings: (job: string, account: string) => readonly Ceiling[]
}

interface Needed {
  account: string
  model: { provider: string; name: string; tier?: Tier | undefined; fallback: readonly { provider: string; name: string }[] }
  delegate: 'local' | 'hosted'
  limits: { costUsd?: number | undefined }
}

/**
 * What the configuration of this worker lacks for runs of a job, asked before anything is spent; undefined when nothing. That of another worker may have it: in a deployment
 * they change one after the other, and some hold less on purpose.
 */
export function lackOf(
  { providers, perRun, accounts, factsOf, ceilings }: Held,
  job: string,
  { account, model, delegate, limits }: Needed,
): string | undefined {
  const provider = providers.get(model.provider)
  if (!provider) return `the provider ${model.provider}`
  const absent = model.fallback.find((one) => !providers.has(one.provider))
  if (absent) return `the provider ${absent.provider}`
  if (!accounts.has(account)) return `the account ${account}`
  if (delegate === 'hosted' && !provider.canHost)
    return `an API in which the provider ${model.provider} calls servers itself (responses or anthropic)`
  if (delegate === 'hosted' && !provider.runHeader && !perRun.has(account))
    return `what tells the requests of a run from those of somebody else (accounts.${account}.perRun, or with api: responses providers.${model.provider}.runHeader)`
  const isInMoney = limits.costUsd !== undefined || ceilings(job, account).some(({ costUsd }) => costUsd !== undefined)
  // Without one, a limit in money is none.
  const unpriced = [model, ...model.fallback].find((one) => !hasPriceAt(factsOf(one.provider, one.name).price, model.tier))
  if (isInMoney && unpriced) return `a price of the model ${unpriced.name}`
  return undefined
}
