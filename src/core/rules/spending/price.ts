import type { Usage } from '../../run.ts'

/** USD for a million tokens of each kind. */
export interface Price {
  input: number
  cachedInput: number
  output: number
}

const MILLION = 1_000_000

/** Cost in USD, never negative. Cached input tokens are part of the input tokens and are charged at their own price. */
export function costOf(usage: Usage, price: Price): number {
  const fresh = Math.max(usage.inputTokens - usage.cachedTokens, 0)
  return (fresh * price.input + usage.cachedTokens * price.cachedInput + usage.outputTokens * price.output) / MILLION
}

/** What is known of the cost of a turn: null without a price, and where the provider did not say what it used. */
export const knownCostOf = (usage: Usage, price: Price | undefined): number | null =>
  price === undefined || usage.estimated ? null : costOf(usage, price)
