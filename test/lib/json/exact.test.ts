import { expect, test } from 'vitest'
import { isDeeper, lostNumber, parseExact } from '../../../src/lib/json/exact.ts'

test.each([
  ['{"id": 9007199254740993}', { path: '/id', source: '9007199254740993', kept: '9007199254740992' }],
  ['[1, {"a/b": -9007199254740993}]', { path: '/1/a~1b', source: '-9007199254740993', kept: '-9007199254740992' }],
  ['9007199254740993', { path: '', source: '9007199254740993', kept: '9007199254740992' }],
  ['[1e400]', { path: '/0', source: '1e400', kept: 'Infinity' }],
  [`[${'9'.repeat(400)}]`, { path: '/0', source: `${'9'.repeat(40)}…`, kept: 'Infinity' }],
])('the number that would be lost in %s is found', (json, lost) => {
  expect(lostNumber(json)).toEqual(lost)
})

test.each([
  '{"id": 9007199254740992}',
  '[-54979440978645210, 1e308, 0.1234567890123456789, 100000000000000000000]',
  '{"9007199254740993": "9007199254740993 and 1e400"}',
])('no number is lost in %s', (json) => {
  expect(lostNumber(json)).toBeUndefined()
})

test('numbers are written again with their own digits', () => {
  const json = '{"id":9007199254740993,"rate":1.0}'
  expect(JSON.stringify(parseExact(json))).toBe(json)
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
