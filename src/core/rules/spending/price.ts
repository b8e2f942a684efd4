import type { Usage } from '../../run.ts'

/** USD for a million tokens of each kind. */
export interface Rates {
  input: number
  cachedInput: number
  /** Of input tokens that are written into the provider's cache; without it, as other input. */
  cacheWrite?: number | undefined
  output: number
}

/** What a model costs in the provider's default tier. */
export interface Price extends Rates {
  /** Of requests with more input tokens than so many, as a whole. */
  long?: (Rates & { aboveTokens: number }) | undefined
  /** In other service tiers. Flex costs half where it is not here. */
  tiers?: Readonly<Record<string, Rates>> | undefined
}

const MILLION = 1_000_000

/** Cost in USD, never negative. Cached input tokens, and those written into the cache, are part of the input tokens and are charged at their own price. */
export function costOf(usage: Usage, price: Price): number {
  const { long } = price
  const { input, cachedInput, cacheWrite = input, output } = long && usage.inputTokens > long.aboveTokens ? long : price
  const kept = Math.min(usage.cacheWriteTokens ?? 0, Math.max(usage.inputTokens - usage.cachedTokens, 0))
  const fresh = Math.max(usage.inputTokens - usage.cachedTokens - kept, 0)
  return (fresh * input + usage.cachedTokens * cachedInput + kept * cacheWrite + usage.outputTokens * output) / MILLION
}

/** Names that providers have for the tier that a model's own price is of. */
const DEFAULT_TIERS = ['default', 'standard', 'on_demand']
const FLEX_SHARE = 0.5

/** The price in a service tier; undefined where it is not known. */
export function priceAt(price: Price, tier: string | undefined): Price | undefined {
  if (tier === undefined || DEFAULT_TIERS.includes(tier)) return price
  const own = price.tiers && Object.hasOwn(price.tiers, tier) ? price.tiers[tier] : undefined
  if (own || tier !== 'flex') return own
  return shareOf(price, FLEX_SHARE)
}

/** What ceilings go by: the price of the default tier where that of a tier is not known. */
export const chargedAt = (price: Price | undefined, tier: string | undefined): Price | undefined => price && (priceAt(price, tier) ?? price)

/** The price of a tier is known, so that a limit in money can be kept in it. */
export const hasPriceAt = (price: Price | undefined, tier: string | undefined): boolean =>
  price !== undefined && priceAt(price, tier) !== undefined

/** A price of which each rate is so much of another one; without its tiers. */
export const shareOf = ({ long, ...price }: Price, share: number): Price => ({
  ...ratesOf(price, share),
  ...(long && { long: { ...ratesOf(long, share), aboveTokens: long.aboveTokens } }),
})

const ratesOf = ({ input, cachedInput, cacheWrite, output }: Rates, share: number): Rates => ({
  input: input * share,
  cachedInput: cachedInput * share,
  ...(cacheWrite !== undefined && { cacheWrite: cacheWrite * share }),
  output: output * share,
})

/** The tier of an answer, by what its provider says of it and by what was asked: where nothing is said, nobody is taken to have had it cheaper. */
export const tierOf = (said: string | undefined, asked: string | undefined): string | undefined =>
  said ?? (asked === 'priority' ? asked : undefined)

/** What is known of the cost of a turn in its tier: null without a price, and where the provider did not say what it used. */
export function knownCostOf(usage: Usage, price: Price | undefined, tier?: string): number | null {
  const known = price && priceAt(price, tier)
  return known === undefined || usage.estimated ? null : costOf(usage, known)
}
