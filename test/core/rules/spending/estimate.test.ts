import { expect, test } from 'vitest'
import { estimateSpend, estimateUsage } from '../../../../src/core/rules/spending/estimate.ts'

test('without word of the provider, three bytes are a token, and a part of one is one', () => {
  expect(estimateUsage(9, 4)).toMatchObject({ inputTokens: 3, outputTokens: 2, cachedTokens: 0, estimated: true })
  expect(estimateUsage(10, 0)).toMatchObject({ inputTokens: 4, outputTokens: 0, estimated: true })
})

test('a turn is taken for what is sent and an answer of 2048 tokens, at its price where there is one', () => {
  expect(estimateSpend(3000, undefined)).toEqual({ tokens: 3048, costUsd: 0 })
  expect(estimateSpend(3000, { input: 2, cachedInput: 1, output: 10 })).toEqual({ tokens: 3048, costUsd: (1000 * 2 + 2048 * 10) / 1e6 })
})
