import { expect, test } from 'vitest'
import { ungroundedIn } from '../../../../src/core/rules/evidence/grounding.ts'

const results = [
  JSON.stringify({ rows: [{ industry: 'Construction', rate: 27.14, code: '0042' }], remark: 'Report 0, and nothing else.' }),
  'In all 14,988 thousand persons.',
]

test.each<[what: string, value: unknown, paths: string[], ungrounded: string[]]>([
  ['a number that a tool gave', { n: 27.14 }, ['n'], []],
  ['a number in words, however it is written', { n: 14_988 }, ['n'], []],
  ['a number that is rounded', { n: 27.1 }, ['n'], []],
  ['a number that is rounded wrongly', { n: 27.2 }, ['n'], ['/n']],
  ['a number that nobody gave', { n: 12_000 }, ['n'], ['/n']],
  ['a number that only an order in a text names', { n: 0 }, ['n'], ['/n']],
  ['a number that was written in quotes', { n: 42 }, ['n'], []],
  ['a text, in any case', { s: 'construction' }, ['s'], []],
  ['a text that nobody gave', { s: 'Mining' }, ['s'], ['/s']],
  ['each value of a list', { rows: [{ rate: 27.14 }, { rate: 3 }, { rate: 4 }] }, ['rows.*.rate'], ['/rows/1/rate', '/rows/2/rate']],
  ['a place in a list', { rows: [{ rate: 3 }, { rate: 27.14 }] }, ['rows.1.rate'], []],
  ['all that stands under a path', { rows: [{ rate: 27.14, name: 'x' }] }, ['rows'], ['/rows/0/name']],
  ['a path that is not there', { n: 1 }, ['m.*.k'], []],
  ['what is no number and no text', { n: null, b: true }, ['n', 'b'], []],
  ['no path', { n: 1 }, [], []],
])('%s', (_, value, paths, ungrounded) => {
  expect(ungroundedIn(value, paths, results).map(({ path }) => path)).toEqual(ungrounded)
})

test('without a result nothing is grounded', () => {
  expect(ungroundedIn({ n: 1 }, ['n'], [])).toEqual([{ path: '/n', value: 1 }])
})

const of = (value: unknown) => [JSON.stringify(value)]

test.each<[what: string, n: unknown, results: string[], isGrounded: boolean]>([
  ['0 is in no empty text', 0, of({ s: '', blank: '  ' }), false],
  ['0 is not what nothing is', 0, of({ s: null }), false],
  ['1 is not what yes is', 1, of({ s: true }), false],
  ['a text with blanks around it is a number all the same', 42, of({ s: ' 42 ' }), true],
  [
    'a number that lost digits when it was read is not the one that was written',
    9_007_199_254_740_992,
    of({ s: ' 9007199254740993 ' }),
    false,
  ],
  ['a whole number that a part was rounded to', 27, of({ n: 27.4 }), true],
  ['a part that is rounded to two places', 0.12, of({ n: 0.1249 }), true],
  ['a part that is rounded to two places, wrongly', 0.13, of({ n: 0.1249 }), false],
  ['a small number in its short form', 1e-7, of({ n: 1e-7 }), true],
  ['nothing is rounded to 0', 0, of({ n: 0.4 }), false],
  ['a text in a result that is no JSON, in any case', 'MINING', ['All of Mining.'], true],
  ['texts of two values are not one', 'a b', of(['a', 'b']), false],
  ['a text over two lines of one value', 'a\nb', of(['a\nB']), true],
  ['what is no text is none', 'true', of([true]), false],
  ['a number is no text', '42', of([42]), false],
])('%s', (_, n, given, isGrounded) => {
  expect(ungroundedIn({ n }, ['n'], given)).toHaveLength(isGrounded ? 0 : 1)
})

test('below a path that goes deeper than the value stands nothing', () => {
  expect(ungroundedIn({ n: 5 }, ['n.m'], [])).toEqual([])
})
