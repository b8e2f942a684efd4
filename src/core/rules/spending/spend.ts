import type { Usage } from '../../run.ts'
import { costOf, type Price } from './price.ts'

/** Tokens, input and output together, and their cost in USD. */
export interface Spend {
  tokens: number
  costUsd: number
}

export const NOTHING: Spend = { tokens: 0, costUsd: 0 }

export const timesSpend = ({ tokens, costUsd }: Spend, times: number): Spend => ({ tokens: tokens * times, costUsd: costUsd * times })

/** The greater of two, of each kind. */
export const greaterSpend = (a: Spend, b: Spend): Spend => ({
  tokens: Math.max(a.tokens, b.tokens),
  costUsd: Math.max(a.costUsd, b.costUsd),
})

/** What a turn did cost, as far as it counts against limits: an estimate where the provider does not say. */
export function spendOf(usage: Usage, price: Price | undefined): Spend {
  return { tokens: usage.inputTokens + usage.outputTokens, costUsd: price ? costOf(usage, price) : 0 }
}
