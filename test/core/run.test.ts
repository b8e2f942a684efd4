import { expect, test } from 'vitest'
import { addUsage, isFinal, noUsage, RUN_STATUSES } from '../../src/core/run.ts'

test('a run is over in four of its statuses', () => {
  expect(RUN_STATUSES.filter((status) => isFinal(status))).toEqual(['succeeded', 'incomplete', 'failed', 'cancelled'])
  expect(RUN_STATUSES.filter((status) => !isFinal(status))).toEqual(['queued', 'running', 'waiting'])
})

test('usage adds up kind by kind', () => {
  const a = { inputTokens: 1, cachedTokens: 2, outputTokens: 3, reasoningTokens: 4 }
  const b = { inputTokens: 10, cachedTokens: 20, outputTokens: 30, reasoningTokens: 40 }
  expect(addUsage(a, b)).toEqual({ inputTokens: 11, cachedTokens: 22, outputTokens: 33, reasoningTokens: 44 })
  expect(addUsage(a, noUsage)).toEqual(a)
})
