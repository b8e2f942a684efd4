import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { measureSkew } from '../../../src/lib/time/skew.ts'

const NOW = Date.UTC(2026, 0, 1)
beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'performance'], now: NOW }))
afterEach(() => void vi.useRealTimers())

/** Another clock, which is asked over a way that takes so long there and back. */
const other =
  (aheadMs: number, thereMs = 0, backMs = 0) =>
  async () => {
    vi.advanceTimersByTime(thereMs)
    // oxlint-disable-next-line house/steady-clock -- it is the other clock
    const told = Date.now() + aheadMs
    vi.advanceTimersByTime(backMs)
    return told
  }

test('a clock that is ahead of another one has a positive difference, one that is behind a negative one', async () => {
  expect([await measureSkew(other(-5000)), await measureSkew(other(5000)), await measureSkew(other(0))]).toEqual([5000, -5000, 0])
})

test('a slow answer shows no difference that is not there, whichever way took the time', async () => {
  for (const [there, back] of [
    [9000, 0],
    [0, 9000],
    [4500, 4500],
  ] as const)
    expect(await measureSkew(other(0, there, back))).toBe(0)
})

test('a difference is never told larger than it is', async () => {
  for (const [there, back] of [
    [400, 0],
    [0, 400],
  ] as const) {
    const skew = await measureSkew(other(-3_600_000, there, back))
    expect(skew).toBeGreaterThanOrEqual(3_599_600)
    expect(skew).toBeLessThanOrEqual(3_600_000)
  }
})
