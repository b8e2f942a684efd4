// @ts-nocheck
import { expect, test } from 'vitest'
import { decideOutcome, distinctReasons } from '../../../src/core/rules/outcome.ts'
import { addUsage, FINAL_STATUSES, isFinal, noUsage, RUN_STATUSES, type Reason } from '../../../src/core/run.ts'

const denied = (message: string): Reason => ({ code: 'TOOL_DENIED', message })

test('an answer without a reason against it is green, and no other', () => {
  expect(decideOutcome([])).toBe('succeeded')
  expect(decideOutcome([denied('a')])).toBe('incomplete')
})

test('a reason is listed once, in the order it first came', () => {
  const b: Reason = { code: 'BUDGET_TURNS', message: 'a' }
  expect(distinctReasons([denied('a'), b, denied('a'), denied('c'), b])).toEqual([denied('a'), b, denied('c')])
  expect(distinctReasons([])).toEqual([])
})

test('a run is over in four of its statuses', () => {
  expect(RUN_STATUSES.filter(isFinal)).toEqual(FINAL_STATUSES)
  expect(RUN_STATUSES.filter((status) => !isFinal(status))).toEqual(['queued', 'running', 'waiting'])
})

test('usage adds up kind by kind', () => {
  const a = { inputTokens: 1, cachedTokens: 2, outputTokens: 3, reasoningTokens: 4 }
  const b = { inputTokens: 10, cachedTokens: 20, outputTokens: 30, reasoningTokens: 40 }
  expect(addUsage(a, b)).toEqual({ inputTokens: 11, cachedTokens: 22, outputTokens: 33, reasoningTokens: 44 })
  expect(addUsage(a, noUsage)).toEqual(a)
})
