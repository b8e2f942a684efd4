import { expect, test } from 'vitest'
import { matchesWildcard } from '../../src/lib/wildcard.ts'

test.each([
  ['query', 'query', true],
  ['query', 'query_all', false],
  ['get_*', 'get_sum', true],
  ['get_*', 'get_', true],
  ['get_*', 'forget_it', false],
  ['*_read', 'file_read', true],
  ['*', '', true],
  ['*', 'anything', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'acb', false],
  ['aa*aa', 'aaa', false],
  ['a*bc*bc', 'abc', false],
  ['a.c', 'abc', false],
  ['**', 'x', true],
  ['', '', true],
  ['', 'x', false],
])('%j and %j: %j', (pattern, text, fits) => {
  expect(matchesWildcard(pattern, text)).toBe(fits)
})

test('a pattern of many parts is matched in a time that grows with the length of the text alone', () => {
  expect(matchesWildcard(`${'*a'.repeat(5000)}*b`, 'a'.repeat(100_000))).toBe(false)
})
