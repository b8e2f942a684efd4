import { describe, expect, test } from 'vitest'
import { decideBudget, type Ceiling } from '../../../../src/core/rules/spending/budget.ts'
import { estimateSpend, estimateUsage } from '../../../../src/core/rules/spending/estimate.ts'
import { greaterSpend, NOTHING, spendOf, timesSpend, type Spend } from '../../../../src/core/rules/spending/spend.ts'
import { noUsage } from '../../../../src/core/run.ts'

const spend = (tokens: number, costUsd = 0): Spend => ({ tokens, costUsd })
const ceiling = (parts: Partial<Ceiling>): Ceiling => ({
  scope: 'account',
  name: 'reports',
  tokens: undefined,
  costUsd: undefined,
  ...parts,
})
const granted = (...warnings: string[]) => ({ verdict: 'granted', warnings })

test('a day without ceilings grants everything', () => {
  expect(decideBudget([], spend(1e9, 1e9))).toEqual(granted())
  expect(decideBudget([{ ceiling: ceiling({}), spent: spend(1e9, 1e9) }], spend(1e9, 1e9))).toEqual(granted())
})

describe('a ceiling of tokens', () => {
  const at = (spent: number, estimate: number) =>
    decideBudget([{ ceiling: ceiling({ tokens: 1000 }), spent: spend(spent) }], spend(estimate))

  test('may be met and not passed', () => {
    expect(at(0, 799)).toEqual(granted())
    expect(at(900, 100)).toEqual(granted())
    expect(at(900, 101)).toEqual({
      verdict: 'over',
      reason: {
        code: 'BUDGET_TOKENS',
        message: 'With this turn the daily tokens of account reports would pass 1000; 900 are spent or reserved today.',
      },
    })
  })

  test('is warned of once, by the estimate that reaches 80 % of it', () => {
    const warning = 'More than 80 % of the daily tokens of account reports (1000) are spent.'
    expect(at(700, 99)).toEqual(granted())
    expect(at(700, 100)).toEqual(granted(warning))
    expect(at(799, 1)).toEqual(granted(warning))
    expect(at(800, 1)).toEqual(granted())
  })
})

test('a ceiling of money is named with its job and with what is spent, to four places', () => {
  const job = ceiling({ scope: 'job', name: 'trend', costUsd: 2 })
  expect(decideBudget([{ ceiling: job, spent: spend(0, 1.234_56) }], spend(0, 0.8))).toEqual({
    verdict: 'over',
    reason: {
      code: 'BUDGET_COST',
      message: 'With this turn the daily costUsd of job trend would pass 2; 1.2346 are spent or reserved today.',
    },
  })
})

test('each ceiling is looked at: the first that would be passed decides, and warnings of all are told', () => {
  const account = { ceiling: ceiling({ tokens: 1000, costUsd: 10 }), spent: spend(0, 7) }
  const job = { ceiling: ceiling({ scope: 'job', name: 'trend', tokens: 100 }), spent: spend(70) }
  expect(decideBudget([account, job], spend(20, 1))).toEqual(
    granted(
      'More than 80 % of the daily costUsd of account reports (10) are spent.',
      'More than 80 % of the daily tokens of job trend (100) are spent.',
    ),
  )
  expect(decideBudget([account, job], spend(31, 1))).toMatchObject({ verdict: 'over', reason: { code: 'BUDGET_TOKENS' } })
  expect(decideBudget([account, job], spend(31, 4))).toMatchObject({ verdict: 'over', reason: { code: 'BUDGET_COST' } })
})

describe('what a turn costs', () => {
  const price = { input: 1, cachedInput: 0.5, output: 10 }

  test('is estimated at a token for three bytes, begun ones included, and an answer of 2,048 tokens', () => {
    expect(estimateSpend(0, undefined)).toEqual(spend(2048))
    expect(estimateSpend(3000, undefined)).toEqual(spend(3048))
    expect(estimateSpend(3001, undefined)).toEqual(spend(3049))
  })

  test('has a price only where there is one', () => {
    expect(estimateSpend(3_000_000, price)).toEqual(spend(1_002_048, 1.020_48))
    expect(spendOf({ ...noUsage, inputTokens: 1_000_000, cachedTokens: 500_000, outputTokens: 100_000 }, price)).toEqual(
      spend(1_100_000, 1.75),
    )
    expect(spendOf({ ...noUsage, inputTokens: 5, outputTokens: 3 }, undefined)).toEqual(spend(8))
  })
})

describe('what nobody says', () => {
  test('is a token for each 3 bytes, begun ones included, and says that it is an estimate', () => {
    expect(estimateUsage(300, 0)).toEqual({ ...noUsage, inputTokens: 100, estimated: true })
    expect(estimateUsage(301, 1)).toEqual({ ...noUsage, inputTokens: 101, outputTokens: 1, estimated: true })
  })

  test('is the greater of two, kind by kind, and so often what one is', () => {
    expect(greaterSpend(spend(1, 20), spend(10, 2))).toEqual(spend(10, 20))
    expect(timesSpend(spend(7, 0.5), 3)).toEqual(spend(21, 1.5))
    expect(NOTHING).toEqual(spend(0))
  })
})
