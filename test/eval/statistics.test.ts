import fc from 'fast-check'
import { expect, test } from 'vitest'
import { median, pairedDifference, wilson } from '../../src/eval/statistics.ts'

test('Wilson’s interval has its published values', () => {
  // Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
  for (const [hits, of, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const found = wilson(hits, of)
    expect([found.low.toFixed(4), found.high.toFixed(4)]).toEqual([low.toFixed(4), high.toFixed(4)])
  }
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 })
  expect(wilson(7, 7).high).toBe(1)
})

test('an interval holds its rate, and more trials make it narrower', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (of, share) => {
      const hits = Math.round(of * share)
      const one = wilson(hits, of)
      expect(one.low).toBeLessThanOrEqual(hits / of)
      expect(one.high).toBeGreaterThanOrEqual(hits / of)
      const four = wilson(hits * 4, of * 4)
      expect(four.high - four.low).toBeLessThan(one.high - one.low)
    }),
  )
})

test('a difference lies in its interval; the arms changed about, it is the other way round', () => {
  const count = fc.integer({ min: 0, max: 60 })
  fc.assert(
    fc.property(count, count, count, count, (both, first, second, neither) => {
      const one = pairedDifference({ both, first, second, neither })
      const other = pairedDifference({ both, first: second, second: first, neither })
      expect(one.low).toBeLessThanOrEqual(one.difference + 1e-9)
      expect(one.high).toBeGreaterThanOrEqual(one.difference - 1e-9)
      expect(one.low).toBeGreaterThanOrEqual(-1 - 1e-9)
      expect(one.high).toBeLessThanOrEqual(1 + 1e-9)
      expect(other.difference).toBeCloseTo(-one.difference, 9)
      expect(other.low).toBeCloseTo(-one.high, 9)
      expect(other.p).toBeCloseTo(one.p, 9)
    }),
  )
})

test('the sign test is exact', () => {
  const p = (first: number, second: number) => pairedDifference({ both: 10, first, second, neither: 3 }).p
  expect(p(0, 0)).toBe(1)
  expect(p(5, 1)).toBeCloseTo((2 * (1 + 6)) / 64, 12)
  expect(p(6, 0)).toBeCloseTo(2 / 64, 12)
  expect(p(3, 3)).toBe(1)
})

test('the median is the value in the middle', () => {
  expect([median([]), median([3]), median([4, 1]), median([9, 1, 2])]).toEqual([undefined, 3, 2.5, 2])
})
