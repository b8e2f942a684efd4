// What operators are told where a provider does not say what an answer cost: once in a run.
import type { InUse } from '../../agent/relay/relay.ts'
import { showLine } from '../../lib/text.ts'
import type { AttemptInput } from './input.ts'

type Told = Pick<AttemptInput, 'warn' | 'history'>

/** Once in a run: an earlier attempt has said it. */
export function warnNoUsageOnce({ warn, history }: Told, provider: string): () => void {
  let isSaid = history.some(({ usage }) => usage.estimated)
  return () => {
    if (!isSaid)
      warn(
        `Provider ${provider} gives no usage: limits.tokens and limits.costUsd are kept by estimate, and so are budgets; the cost is not known.`,
      )
    isSaid = true
  }
}

/** Once in a run for each tier of a provider: an earlier attempt has said it. */
export function warnNoPriceOnce({ warn, history }: Told): (of: Pick<InUse, 'provider' | 'name'>, tier: string) => void {
  const keyOf = (provider: string | null, tier: string | null) => JSON.stringify([provider, tier])
  const said = new Set(history.flatMap((one) => (one.costUsd === null && !one.usage.estimated ? [keyOf(one.provider, one.tier)] : [])))
  return ({ provider, name }, tier) => {
    const key = keyOf(provider, tier)
    if (said.has(key)) return
    said.add(key)
    const field = `prices.${name}.tiers.${showLine(tier)}`
    warn(
      `${provider}/${name} answered in the tier ${showLine(tier)}, whose price is not known: what that cost is not known, and limits in money are kept by the price of the default tier. Give it as ${field} in the configuration.`,
    )
  }
}
