import { expect, test } from 'vitest'
import { DEADLINE_NEAR, lastTurnAt, limitReason } from '../../../src/core/rules/last-turn.ts'
import type { Limits, Used } from '../../../src/core/rules/spending/limits.ts'

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

test('a last turn near the deadline says which end was near', () => {
  expect(DEADLINE_NEAR).toEqual({ code: 'DEADLINE', message: expect.stringContaining('deadline was near') })
})

test.each([
  ['a minute', 60_000, 9_000],
  ['less than seven minutes', 399_000, 59_850],
  ['an hour', 3_600_000, 60_000],
])('of a run that may take %s, some time is kept for a last turn, and at most a minute', (_, limitMs, keptMs) => {
  expect(7_000_000 - lastTurnAt(7_000_000, limitMs)).toBe(keptMs)
})
