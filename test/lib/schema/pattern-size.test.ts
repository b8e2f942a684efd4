import { expect, test } from 'vitest'
import { patternSize } from '../../../src/lib/schema/pattern-size.ts'

test.each([
  ['', 0],
  ['abc', 3],
  ['a{3}', 3],
  ['a{1,50}', 50],
  ['a{2,}', 2],
  ['a{0}', 1],
  ['(a|aa|aaa){1,50}', 400],
  ['((a{10}){10}){10}', 1000],
  ['[a-z{}]{4}', 4],
  ['[]a]{4}', 4],
  [String.raw`\({3}`, 3],
  [String.raw`[\]]{3}`, 3],
  ['a{x}', 4],
  [')(', 1],
  ['(a', 1],
])('%s has %i steps', (pattern, size) => {
  expect(patternSize(pattern)).toBe(size)
})
