import { expect, test } from 'vitest'
import { clockFault, describeSkew, OFF_MS, WRONG_MS } from '../../../../src/core/rules/schedules/skew.ts'

test.each([
  [0, undefined],
  [OFF_MS, undefined],
  [-OFF_MS, undefined],
  [OFF_MS + 1, 'off'],
  [-OFF_MS - 1, 'off'],
  [WRONG_MS, 'off'],
  [WRONG_MS + 1, 'wrong'],
  [-WRONG_MS - 1, 'wrong'],
])('a clock that is %i ms apart: %s', (skewMs, fault) => {
  expect(clockFault(skewMs)).toBe(fault)
})

test('it is said which one is ahead', () => {
  expect([3_600_000, -3_600_000, 0].map(describeSkew)).toEqual(['60 min ahead of', '60 min behind', '0 s ahead of'])
})

test('two seconds are off, and what makes a fire missed is wrong', () => {
  expect([OFF_MS, WRONG_MS]).toEqual([2000, 60_000])
})
