import { expect, test } from 'vitest'
import { costOf, knownCostOf } from '../../../../src/core/rules/spending/price.ts'

const price = { input: 0.25, cachedInput: 0.025, output: 2 }
const usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }

test.each([
  ['nothing', usage, 0],
  ['a million fresh input tokens', { ...usage, inputTokens: 1_000_000 }, 0.25],
  ['a million cached input tokens', { ...usage, inputTokens: 1_000_000, cachedTokens: 1_000_000 }, 0.025],
  ['half of the input from the cache', { ...usage, inputTokens: 2_000_000, cachedTokens: 1_000_000 }, 0.275],
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
