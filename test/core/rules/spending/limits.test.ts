import { expect, test } from 'vitest'
import { nearLimits, passedLimits, usedShare, type Limits, type Used } from '../../../../src/core/rules/spending/limits.ts'

const none: Used = { turns: 0, toolCalls: 0, tokens: 0, costUsd: 0 }
const open: Limits = { turns: 10, toolCalls: 5, tokens: undefined, costUsd: undefined }

test('an answer that could not be stopped in time passes a limit above it, and not at it', () => {
  const limits = { ...open, tokens: 100, costUsd: 0.5 }
  expect(passedLimits({ ...none, tokens: 100, costUsd: 0.5 }, limits)).toEqual([])
  expect(passedLimits({ ...none, tokens: 101, costUsd: 0.51 }, limits).map(({ code }) => code)).toEqual(['BUDGET_TOKENS', 'BUDGET_COST'])
  expect(passedLimits({ ...none, tokens: 101, costUsd: 1 }, open)).toEqual([])
  expect(passedLimits({ ...none, tokens: 101, costUsd: 0.5 }, limits).map(({ code }) => code)).toEqual(['BUDGET_TOKENS'])
})

test('a limit is near when 80 % of it are used; one that is zero or not set never is', () => {
  const limits: Limits = { turns: 10, toolCalls: 0, tokens: 100, costUsd: undefined }
  expect(nearLimits({ turns: 7, toolCalls: 9, tokens: 79, costUsd: 9 }, limits)).toEqual([])
  expect(nearLimits({ turns: 8, toolCalls: 9, tokens: 80, costUsd: 9 }, limits)).toEqual(['turns', 'tokens'])
  expect(nearLimits({ turns: 0, toolCalls: 4, tokens: 0, costUsd: 0.8 }, { ...open, costUsd: 1 })).toEqual(['toolCalls', 'costUsd'])
  expect(nearLimits({ ...none, toolCalls: 0 }, { ...open, toolCalls: 0 })).toEqual([])
})

test.each<[string, Partial<Limits>, Partial<Used>, number]>([
  ['nothing is used', { tokens: 100 }, {}, 0],
  ['turns run out first', { tokens: 100 }, { turns: 5, tokens: 20 }, 0.5],
  ['calls run out first', {}, { turns: 5, toolCalls: 4 }, 0.8],
  ['tokens run out first', { tokens: 100, costUsd: 1 }, { turns: 1, tokens: 75, costUsd: 0.5 }, 0.75],
  ['money runs out first', { tokens: 100, costUsd: 0.5 }, { turns: 1, tokens: 75, costUsd: 0.4 }, 0.8],
  ['a limit is passed', { tokens: 100 }, { tokens: 150 }, 1.5],
  ['a limit is zero', { toolCalls: 0 }, { turns: 1, toolCalls: 3 }, 0.1],
  ['nothing but what is unlimited is used', {}, { tokens: 1e9, costUsd: 1e9 }, 0],
])('%s: the share that is used is that of the limit that runs out first', (_, limits, used, share) => {
  expect(usedShare({ ...none, ...used }, { ...open, ...limits })).toBe(share)
})
