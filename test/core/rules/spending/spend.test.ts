import { expect, test } from 'vitest'
import { greaterSpend, NOTHING, spendOf, timesSpend } from '../../../../src/core/rules/spending/spend.ts'
import { noUsage } from '../../../../src/core/run.ts'

test('of two, the greater of each kind', () => {
  expect(greaterSpend({ tokens: 1, costUsd: 4 }, { tokens: 2, costUsd: 3 })).toEqual({ tokens: 2, costUsd: 4 })
})

test('so many times as much', () => {
  expect(timesSpend({ tokens: 3, costUsd: 0.5 }, 4)).toEqual({ tokens: 12, costUsd: 2 })
  expect(timesSpend(NOTHING, 4)).toEqual({ tokens: 0, costUsd: 0 })
})

test('input and output count together, at the price where there is one', () => {
  const usage = { ...noUsage, inputTokens: 1000, outputTokens: 100 }
  expect(spendOf(usage, undefined)).toEqual({ tokens: 1100, costUsd: 0 })
  expect(spendOf(usage, { input: 2, cachedInput: 1, output: 10 })).toEqual({ tokens: 1100, costUsd: 0.003 })
})
