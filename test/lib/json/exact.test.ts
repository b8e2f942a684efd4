import { expect, test } from 'vitest'
import { isDeeper, lostNumber } from '../../../src/lib/json/exact.ts'

test.each([
  ['{"id": 9007199254740993}', { path: '/id', source: '9007199254740993', kept: '9007199254740992' }],
  ['[1, {"a/b": -9007199254740993}]', { path: '/1/a~1b', source: '-9007199254740993', kept: '-9007199254740992' }],
  ['9007199254740993', { path: '', source: '9007199254740993', kept: '9007199254740992' }],
  ['[1e400]', { path: '/0', source: '1e400', kept: 'Infinity' }],
  ['{"a":[{"b":9.007199254740993e15}]}', { path: '/a/0/b', source: '9.007199254740993e15', kept: '9007199254740992' }],
  ['[9223372036854775808]', { path: '/0', source: '9223372036854775808', kept: '9223372036854776000' }],
  ['["a\\\\", 18446744073709551615]', { path: '/1', source: '18446744073709551615', kept: '18446744073709552000' }],
  ['[9007199254740993.5]', { path: '/0', source: '9007199254740993.5', kept: '9007199254740994' }],
  ['[1e-400]', { path: '/0', source: '1e-400', kept: '0' }],
  [`[${'9'.repeat(400)}]`, { path: '/0', source: `${'9'.repeat(40)}…`, kept: 'Infinity' }],
])('the number that would be lost in %s is found', (json, lost) => {
  expect(lostNumber(json)).toEqual(lost)
})

test.each([
  '{"id": 9007199254740992}',
  '[-54979440978645210, 1e308, 0.1234567890123456789, 100000000000000000000]',
  '{"9007199254740993": "9007199254740993 and 1e400"}',
  '[-0, 0, 0.000, 0e999, 1.0, 12.5, 1e22, 1E+2, 9007199254740992.0, 900719925474099.20e1]',
])('no number is lost in %s', (json) => {
  expect(lostNumber(json)).toBeUndefined()
})

test.each([
  ['[[1]]', 2, false],
  ['[[1]]', 1, true],
  ['[[],[],[]]', 2, false],
  ['{"a":"[[[","b\\"{":{}}', 2, false],
  ['"[[["', 0, false],
])('whether %s nests deeper than %d: %s', (json, most, deeper) => {
  expect(isDeeper(json, most)).toBe(deeper)
})
