import type { Usage } from '../../run.ts'

/** USD for a million tokens of each kind. */
export interface Price {
  input: number
  cachedInput: number
  output: number
}

const MILLION = 1_000_000

/** Cost in USD. Cached input tokens are part of the input tokens and are charged at their own price. */
export function costOf(usage: Usage, price: Price): number {
  const fresh = usage.inputTokens - usage.cachedTokens
  return (fresh * price.input + usage.cachedTokens * price.cachedInput + usage.outputTokens * price.output) / MILLION
}
