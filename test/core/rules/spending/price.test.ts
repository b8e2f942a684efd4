import { expect, test } from 'vitest'
import { costOf, hasPriceAt, knownCostOf, priceAt, tierOf, type Price } from '../../../../src/core/rules/spending/price.ts'

const price = { input: 0.25, cachedInput: 0.025, cacheWrite: 0.3, output: 2 }
const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }

test.each([
  ['nothing', usage, 0],
  ['a million fresh input tokens', { ...usage, inputTokens: 1_000_000 }, 0.25],
  ['a million cached input tokens', { ...usage, inputTokens: 1_000_000, cachedTokens: 1_000_000 }, 0.025],
  ['half of the input from the cache', { ...usage, inputTokens: 2_000_000, cachedTokens: 1_000_000 }, 0.275],
  [
    'a third of the input written into the cache, at its own price',
    { ...usage, inputTokens: 3_000_000, cachedTokens: 1_000_000, cacheWriteTokens: 1_000_000 },
    0.25 + 0.025 + 0.3,
  ],
  ['a million output tokens, reasoning in them', { ...usage, outputTokens: 1_000_000, reasoningTokens: 900_000 }, 2],
])('%s cost what the price says', (_, used, cost) => {
  expect(costOf(used, price)).toBeCloseTo(cost, 12)
})

test('more from the cache than there was input, as another version may have written it, never earns money', () => {
  expect(costOf({ ...usage, inputTokens: 100, cachedTokens: 20_000, outputTokens: 50 }, price)).toBeCloseTo(0.0006, 12)
})

test('a cost is known where there is a price, and the provider said what was used', () => {
  const used = { ...usage, outputTokens: 1_000_000 }
  expect(knownCostOf(used, price)).toBe(2)
  expect(knownCostOf(used, undefined)).toBeNull()
  expect(knownCostOf({ ...used, estimated: true }, price)).toBeNull()
})

const used = { ...usage, inputTokens: 1_000_000, outputTokens: 1_000_000 }
const dear: Price = { input: 8, cachedInput: 4, output: 16 }

test.each<[tier: string | undefined, price: Price, cost: number | null]>([
  [undefined, price, 2.25],
  ['default', price, 2.25],
  ['standard', price, 2.25],
  ['flex', price, 1.125],
  ['flex', { ...price, tiers: { flex: dear } }, 24],
  ['priority', { ...price, tiers: { priority: dear } }, 24],
  // What a tier costs that nobody gave a price for is not known.
  ['priority', price, null],
  ['scale', price, null],
  ['constructor', { ...price, tiers: {} }, null],
])('in the tier %s, a price of %o comes to %s', (tier, of, cost) => {
  expect(knownCostOf(used, of, tier)).toBe(cost)
  expect(hasPriceAt(of, tier)).toBe(cost !== null)
})

test('a long request is charged as a whole at the price of long ones, and half of that in flex', () => {
  const stepped: Price = { input: 1, cachedInput: 1, output: 1, long: { aboveTokens: 1000, input: 2, cachedInput: 2, output: 2 } }
  const of = (inputTokens: number, tier?: string) => (knownCostOf({ ...usage, inputTokens }, stepped, tier) ?? NaN) * 1_000_000
  expect([of(1000), of(1001), of(1001, 'flex')]).toEqual([1000, 2002, 1001].map((usd) => expect.closeTo(usd, 6)))
  expect(priceAt(stepped, 'flex')).toEqual({
    input: 0.5,
    cachedInput: 0.5,
    output: 0.5,
    long: { aboveTokens: 1000, input: 1, cachedInput: 1, output: 1 },
  })
})

test('the tier is the one that the provider says; one that says nothing had it no cheaper', () => {
  expect([
    tierOf('flex', 'flex'),
    tierOf('default', 'flex'),
    tierOf(undefined, 'flex'),
    tierOf(undefined, 'priority'),
    tierOf(undefined, undefined),
  ]).toEqual(['flex', 'default', undefined, 'priority', undefined])
})
