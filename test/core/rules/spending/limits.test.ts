import { expect, test } from 'vitest'
import {
  DEADLINE_NEAR,
  limitReason,
  nearLimits,
  passedLimits,
  usedShare,
  type Limits,
  type Used,
} from '../../../../src/core/rules/spending/limits.ts'

const none: Used = { turns: 0, toolCalls: 0, tokens: 0, costUsd: 0 }
const open: Limits = { turns: 10, toolCalls: 5, tokens: undefined, costUsd: undefined }

test.each<[string, Partial<Limits>, Partial<Used>, string | undefined]>([
  ['nothing used', {}, {}, undefined],
  ['one turn left', {}, { turns: 9 }, undefined],
  ['the last turn used', {}, { turns: 10 }, 'BUDGET_TURNS All 10 turns were used.'],
  ['all calls made', {}, { toolCalls: 5 }, undefined],
  ['one more call asked for', {}, { toolCalls: 6 }, 'BUDGET_TOOL_CALLS All 5 tool calls were used.'],
  ['no calls allowed and none asked for', { toolCalls: 0 }, {}, undefined],
  ['no limit of tokens or money', {}, { tokens: 1e9, costUsd: 1e9 }, undefined],
  ['a token left', { tokens: 100 }, { tokens: 99 }, undefined],
  ['all tokens used', { tokens: 100 }, { tokens: 100 }, 'BUDGET_TOKENS 100 of 100 tokens were used.'],
  ['some money left', { costUsd: 0.5 }, { costUsd: 0.49 }, undefined],
  ['all money used', { costUsd: 0.5 }, { costUsd: 0.5 }, 'BUDGET_COST 0.5000 of 0.5 USD were used.'],
  ['tokens and money used', { tokens: 1, costUsd: 1 }, { tokens: 2, costUsd: 2 }, 'BUDGET_TOKENS 2 of 1 tokens were used.'],
])('%s: whether the next turn is the last one', (_, limits, used, expected) => {
  const reason = limitReason({ ...none, ...used }, { ...open, ...limits })
  expect(reason && `${reason.code} ${reason.message}`).toBe(expected)
})

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

test('a last turn near the deadline says which end was near', () => {
  expect(DEADLINE_NEAR).toEqual({ code: 'DEADLINE', message: expect.stringContaining('deadline was near') })
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
