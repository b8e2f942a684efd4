import type { Ceiling } from './spending/budget.ts'

interface Held {
  providers: ReadonlyMap<string, { canHost: boolean; runHeader: boolean }>
  /** Accounts of which each run gets one of its own. */
  perRun: { has(name: string): boolean }
  accounts: { has(name: string): boolean }
  prices: { has(model: string): boolean }
  /** The daily ceilings of a job and its account. */
  ceilings: (job: string, account: string) => readonly Ceiling[]
}

interface Needed {
  account: string
  model: { provider: string; name: string }
  delegate: 'local' | 'hosted'
  limits: { costUsd?: number | undefined }
}

/**
 * What the configuration of this worker lacks for runs of a job, asked before anything is spent; undefined when nothing. That of another worker may have it: in a deployment
 * they change one after the other, and some hold less on purpose.
 */
export function lackOf(
  { providers, perRun, accounts, prices, ceilings }: Held,
  job: string,
  { account, model, delegate, limits }: Needed,
): string | undefined {
  const provider = providers.get(model.provider)
  if (!provider) return `the provider ${model.provider}`
  if (!accounts.has(account)) return `the account ${account}`
  if (delegate === 'hosted' && !provider.canHost) return `the Responses API for the provider ${model.provider}`
  if (delegate === 'hosted' && !provider.runHeader && !perRun.has(account))
    return `what tells the requests of a run from those of somebody else (providers.${model.provider}.runHeader, or accounts.${account}.perRun)`
  const isInMoney = limits.costUsd !== undefined || ceilings(job, account).some(({ costUsd }) => costUsd !== undefined)
  // Without one, a limit in money is none.
  if (isInMoney && !prices.has(model.name)) return `a price of the model ${model.name}`
  return undefined
}
