import { expect, test } from 'vitest'
import { digestOf } from '../../../src/lib/hash/digest.ts'

test('the order of keys does not matter, at any depth', () => {
  expect(digestOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(digestOf({ b: { d: null, c: [1, 2] }, a: 1 }))
})

test('the order of a list, a value and a type do', () => {
  const digests = [{ a: [1, 2] }, { a: [2, 1] }, { a: [1, '2'] }, { a: [1, 2], b: null }, {}, [], null, '', 0].map(digestOf)
  expect(new Set(digests).size).toBe(digests.length)
})

test('is sha256 of canonical JSON', () => {
  // echo -n '{"a":1}' | sha256sum
  expect(digestOf({ a: 1 })).toBe('sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862')
  expect(digestOf(undefined)).toBe(digestOf(null))
})
