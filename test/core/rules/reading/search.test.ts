import { expect, test } from 'vitest'
import { searchIn, type Search } from '../../../../src/core/rules/reading/search.ts'

const find = (text: string, search: string, how: Partial<Search> = {}) => {
  const page = searchIn('t1c1', text, { search, ignoreCase: false, offset: 0, count: Infinity, context: 0, maxBytes: 3000, ...how })
  return page.ok ? page.text : page.why
}
/** What is said of the places: without the heading and the end. */
const places = (text: string, search: string, how: Partial<Search> = {}) => find(text, search, how).split('\n').slice(1, -1).join('\n')

test.each<[what: string, text: string, search: string, how: Partial<Search>, said: string]>([
  ['its line', 'a\nfind me\nb', 'find', {}, 'line 2, byte 2:\nfind me'],
  ['its line, once for all places in it', 'find, find and find', 'find', {}, 'line 1, byte 0:\nfind, find and find'],
  ['the byte, which is no character', 'äö find', 'find', {}, 'line 1, byte 5:\näö find'],
  ['the line before', 'a\nb\nfind\nc', 'find', { context: 1 }, 'line 3, byte 4:\nb\nfind\nc'],
  ['the two lines before and after', 'a\nb\nc\nfind\nd\ne\nf', 'find', { context: 2 }, 'line 4, byte 6:\nb\nc\nfind\nd\ne'],
  ['an empty line before and after', 'a\n\nfind\n\nb', 'find', { context: 1 }, 'line 3, byte 3:\n\nfind\n'],
  ['an empty line after, and the one behind it', 'find\n\nb', 'find', { context: 2 }, 'line 1, byte 0:\nfind\n\nb'],
  ...[2, 3, 4].map((context): [string, string, string, Partial<Search>, string] => [
    `the lines that there are, of ${context}`,
    '\na\nfind\nb',
    'find',
    { context },
    'line 3, byte 3:\n\na\nfind\nb',
  ]),
  [
    'two long lines at each side',
    `a\n${'b'.repeat(300)}\n${'c'.repeat(300)}\nfind\n${'d'.repeat(300)}\n${'e'.repeat(300)}\nf`,
    'find',
    { context: 2 },
    `line 4, byte 604:\n${'b'.repeat(300)}\n${'c'.repeat(300)}\nfind\n${'d'.repeat(300)}\n${'e'.repeat(300)}`,
  ],
  [
    'no more than 400 characters of a line at each side',
    `${'b'.repeat(500)}\nfind\n${'d'.repeat(500)}`,
    'find',
    { context: 1 },
    `line 2, byte 501:\n${'b'.repeat(399)}\nfind\n${'d'.repeat(399)}`,
  ],
  ['a line of 400 characters', `find${'x'.repeat(396)}`, 'find', {}, `line 1, byte 0:\nfind${'x'.repeat(396)}`],
  ['a part of a longer line', `find${'x'.repeat(397)}`, 'find', {}, `line 1, byte 0, a part of it:\nfind${'x'.repeat(150)}`],
  [
    'both sides in a longer line',
    `${'a'.repeat(300)}find${'b'.repeat(300)}`,
    'find',
    {},
    `line 1, byte 300, a part of it:\n${'a'.repeat(150)}find${'b'.repeat(150)}`,
  ],
  [
    'no lines around a part of a line',
    `a\n${'b'.repeat(400)}find\nc`,
    'find',
    { context: 1 },
    `line 2, byte 402, a part of it:\n${'b'.repeat(150)}find`,
  ],
  ['no line twice', 'find 1\na\nfind 2', 'find', { context: 1 }, 'line 1, byte 0:\nfind 1\na\nline 3, byte 9:\nfind 2'],
])('a place is given with %s', (_, text, search, how, said) => {
  expect(places(text, search, how)).toBe(said)
})

test.each([
  [146, 1],
  [150, 1],
  [151, 2],
])('in a long line, what stands %i characters behind a place is shown with it or counts by itself', (apart, count) => {
  expect(find(`find${'x'.repeat(apart - 4)}find${'x'.repeat(400)}`, 'find')).toMatch(
    count === 1 ? /^\[t1c1: 1 place / : /^\[t1c1: 2 places /,
  )
})

const SAID = ['line 1, byte 0:\nx', 'line 2, byte 2:\nx', 'line 3, byte 4:\nx']

test.each<[maxBytes: number, shown: number]>([
  [5, 1],
  [35, 1],
  [36, 2],
  [53, 2],
  [54, 3],
])('in %i bytes stand %i places of three; all are counted', (maxBytes, shown) => {
  const end = shown === 3 ? '[End]' : `[It goes on: {"id":"t1c1","search":"x","offset":${2 * shown}}]`
  expect(find('x\nx\nx', 'x', { maxBytes })).toBe(['[t1c1: 3 places with "x"]', ...SAID.slice(0, shown), end].join('\n'))
})

test('how it goes on holds how it was asked', () => {
  expect(find('x\nX', 'x', { count: 1, ignoreCase: true, context: 1 })).toBe(
    '[t1c1: 2 places with "x"]\nline 1, byte 0:\nx\nX\n[It goes on: {"id":"t1c1","search":"x","ignoreCase":true,"context":1,"offset":2}]',
  )
  expect(find('x\nX', 'x', { offset: 1, ignoreCase: true })).toBe('[t1c1: 1 place with "x" from byte 1]\nline 2, byte 2:\nX\n[End]')
  expect(find('ä\nx', 'x', { offset: 2 })).toBe('[t1c1: 1 place with "x" from byte 2]\nline 2, byte 3:\nx\n[End]')
})

test.each<[what: string, text: string, search: string, said: string]>([
  ['letters of other languages', 'a\nÄrger', 'ÄRGER', 'line 2, byte 2:\nÄrger'],
  ['a place behind a letter whose capital is longer', 'Straße FIND', 'find', 'line 1, byte 0:\nStraße FIND'.replace('byte 0', 'byte 8')],
  ['a place behind a letter whose small one is longer', 'İ\nFIND me', 'find', 'line 2, byte 3:\nFIND me'],
  ['a letter that is both', 'a\nǅ', 'ǆ', 'line 2, byte 2:\nǅ'],
  ['a place far behind', `${'x'.repeat(65_535)}\nFIND`, 'find', 'line 2, byte 65536:\nFIND'],
])('capital and small letters are the same: %s', (_, text, search, said) => {
  expect(places(text, search, { ignoreCase: true })).toBe(said)
  expect(places(text, search)).toBe('')
})
