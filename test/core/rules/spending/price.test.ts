import { expect, test } from 'vitest'
import { costOf } from '../../../../src/core/rules/spending/price.ts'

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
