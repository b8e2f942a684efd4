import { expect, test } from 'vitest'
import { numbersIn } from '../../src/lib/numbers.ts'

test.each([
  ['14,988,000 persons', [14988000]],
  ["14'988 and 12’870", [14988, 12870]],
  ['14 988 Personen', [14988]],
  ['9,86 %', [9.86]],
  ['9.86 %', [9.86]],
  ['1,234,567.89', [1234567.89]],
  ['1.234.567,89', [1234567.89]],
  ['in 2010 it was 27.1', [2010, 27.1]],
  ['−3.5 points', [-3.5, 3.5]],
  ['2009-2010', [2009, 2010]],
  ['none', []],
])('%s holds %j', (text, numbers) => {
  expect(numbersIn(text)).toEqual(numbers)
})

test('what has two readings gives both', () => {
  for (const text of ['14.988', '14,988']) expect(numbersIn(text)).toEqual([14.988, 14988])
})
