import { expect, test } from 'vitest'
import { readPath } from '../../../../src/core/rules/reading/path.ts'

const read = (text: string, path: string, { count = Infinity, maxBytes = 3000 } = {}) => {
  const page = readPath(text, path, { id: 't1c1', count, maxBytes })
  return page.ok ? page.text : page.why
}

const rows = (n: number) => Array.from({ length: n }, (_, at) => ({ id: at, name: `row ${at}` }))
const TABLE = JSON.stringify({ rows: rows(1000), note: 'abcdefghij', 'a/b': { '10:30': 'half past ten', 'c~d': 7 } })
const ROWS = '[t1c1 at /rows: array of 1000, each {id: number, name: string}]'
const BAD_PATH = 'Error: a path is a JSON pointer such as /rows/7/name, of at most 50 parts, of which one may be a slice such as 100:200.'

test.each<[what: string, text: string, path: string, said: string]>([
  ['a value', TABLE, '/rows/7/name', '[t1c1 at /rows/7/name: string]\nrow 7\n[End]'],
  ['an item with a number of several digits', TABLE, '/rows/12/id', '[t1c1 at /rows/12/id: number]\n12\n[End]'],
  ['a path without its first slash', TABLE, 'rows/7/id', '[t1c1 at /rows/7/id: number]\n7\n[End]'],
  ['an object', TABLE, '/rows/1', '[t1c1 at /rows/1: {id: number, name: string}]\n{"id":1,"name":"row 1"}\n[End]'],
  ['a key with a slash, and one that looks like a slice', TABLE, '/a~1b/10:30', '[t1c1 at /a~1b/10:30: string]\nhalf past ten\n[End]'],
  ['a key with a tilde', TABLE, '/a~1b/c~0d', '[t1c1 at /a~1b/c~0d: number]\n7\n[End]'],
  ['the root', '{"a":1}', '', '[t1c1 at its root: {a: number}]\n{"a":1}\n[End]'],
  ['the root, as it is often written', '{"a":1}', '/', '[t1c1 at its root: {a: number}]\n{"a":1}\n[End]'],
  ['a key that is empty', '{"":[1]}', '/', '[t1c1 at /: array of 1, each number]\n[0] 1\n[End]'],
  ['JSON below a text', 'Found 1.\n{"a":[1]}', '/a/0', '[t1c1 at /a/0: number]\n1\n[End]'],
  [
    'numbers that no double holds, with their digits',
    '{"a":12345678901234567890}',
    '/a',
    '[t1c1 at /a: string]\n12345678901234567890\n[End]',
  ],
  ['a list', '[true,null,"a"]', '', '[t1c1 at its root: array of 3, each boolean or null or string]\n[0] true\n[1] null\n[2] "a"\n[End]'],
  ['an empty list', '{"a":[]}', '/a', '[t1c1 at /a: array of 0]\n[End]'],
  ['all of an empty list', '{"a":[]}', '/a/*', '[t1c1 at /a: array of 0]\n[End]'],
  ['a slice of a list', TABLE, '/rows/2:4/name', `${ROWS}\n[2] "row 2"\n[3] "row 3"\n[End]`],
  ['a slice without its begin', TABLE, '/rows/:2/id', `${ROWS}\n[0] 0\n[1] 1\n[End]`],
  ['a slice to the end', TABLE, '/rows/998:/id', `${ROWS}\n[998] 998\n[999] 999\n[End]`],
  ['a slice beyond the end', TABLE, '/rows/999:2000/id', `${ROWS}\n[999] 999\n[End]`],
  [
    'null for what an item does not have',
    '[{"a":1},{},3]',
    '/*/a',
    '[t1c1 at its root: array of 3, each number or object]\n[0] 1\n[1] null\n[2] null\n[End]',
  ],
  ['a text', '{"a":"b\\nc"}', '/a', '[t1c1 at /a: string]\nb\nc\n[End]'],
  ['an empty text', '{"a":""}', '/a', '[t1c1 at /a: string]\n\n[End]'],
  ['all of an empty text', '{"a":""}', '/a/*', '[t1c1 at /a: string]\n\n[End]'],
  ['a slice of a text', TABLE, '/note/2:4', '[t1c1 at /note: string]\ncd\n[End]'],
  ['the end of a text', TABLE, '/note/7:', '[t1c1 at /note: string]\nhij\n[End]'],
  ['a slice of a text beyond its end', TABLE, '/note/9:99', '[t1c1 at /note: string]\nj\n[End]'],
  ['half a letter of a text', '{"a":"🚀"}', '/a/1:', '[t1c1 at /a: string]\n\ufffd\n[End]'],
])('a path leads to %s', (_, text, path, said) => {
  expect(read(text, path)).toBe(said)
})

test.each<[what: string, text: string, path: string, said: string]>([
  ['a list that is shorter', '[1,2]', '/2', 'Error: there is nothing at /2: before it stands array of 2, each number.'],
  ['a slice that begins where a list ends', '[1,2]', '/2:', 'Error: there is nothing at /2: before it stands array of 2, each number.'],
  ['a slice that begins where a text ends', '{"a":"bc"}', '/a/2:', 'Error: there is nothing at /a/2:: before it stands string.'],
  ['a slice far behind a text', '{"a":"bc"}', '/a/9:', 'Error: there is nothing at /a/9:: before it stands string.'],
  [
    'a field that is not there, of which the first missing part is said',
    '{"a":1}',
    '/b/c/d',
    'Error: there is nothing at /b: before it stands {a: number}.',
  ],
  ['what every object has in this language', '{"a":1}', '/toString', 'Error: there is nothing at /toString: before it stands {a: number}.'],
  ['a slice of an object', '{"a":1}', '/1:2', 'Error: there is nothing at /1:2: before it stands {a: number}.'],
  ['a slice of a number', '{"a":1}', '/a/1:2', 'Error: there is nothing at /a/1:2: before it stands number.'],
  ['an item by a name', '[1,2]', '/x1', 'Error: there is nothing at /x1: before it stands array of 2, each number.'],
  ['an item by a number with a letter', '[1,2]', '/1x', 'Error: there is nothing at /1x: before it stands array of 2, each number.'],
  ['what only ends as a slice does', '[1,2]', '/x0:1', 'Error: there is nothing at /x0:1: before it stands array of 2, each number.'],
  ['what only begins as a slice does', '[1,2]', '/0:1x', 'Error: there is nothing at /0:1x: before it stands array of 2, each number.'],
  ['a second slice', '[[1]]', '/*/*', BAD_PATH],
  ['a second slice further on', '[[[1]]]', '/*/0/0:1', BAD_PATH],
  ['what is no JSON', 'a,b', '/a', 'Error: this result is no JSON, so it has no paths. Read it by lines, or search it.'],
  [
    'JSON that is nested too deep',
    `${'['.repeat(1001)}${']'.repeat(1001)}`,
    '',
    'Error: this result is no JSON, so it has no paths. Read it by lines, or search it.',
  ],
  [
    'JSON that is nested too deep, below a text with a quote',
    `He said "\n${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    '',
    'Error: this result is no JSON, so it has no paths. Read it by lines, or search it.',
  ],
])('a path does not lead to %s', (_, text, path, said) => {
  expect(read(text, path)).toBe(said)
})

test('a path has fifty parts at most', () => {
  const deep = `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`
  expect(read(deep, '/a'.repeat(50))).toMatch(/^\[t1c1 at \/a/)
  expect(read(deep, '/a'.repeat(51))).toBe(BAD_PATH)
  expect(read(deep, '/a'.repeat(60))).toBe(BAD_PATH)
})

test.each<[what: string, path: string, how: { count?: number; maxBytes?: number }, end: string]>([
  ['a list', '/rows', { count: 2 }, '[1] {"id":1,"name":"row 1"}\n[It goes on: {"id":"t1c1","path":"/rows/2:"}]'],
  ['a slice, up to its end', '/rows/0:5/id', { count: 2 }, '[1] 1\n[It goes on: {"id":"t1c1","path":"/rows/2:5/id"}]'],
  ['a slice that ends with its list', '/rows/990:1000/id', { count: 2 }, '[991] 991\n[It goes on: {"id":"t1c1","path":"/rows/992:/id"}]'],
  ['a slice that is read to its end', '/rows/0:2/id', { count: 2 }, '[1] 1\n[End]'],
  ['a slice of fewer than are asked for', '/rows/0:2/id', { count: 5 }, '[1] 1\n[End]'],
  ['a text', '/note', { count: 4 }, 'abcd\n[It goes on: {"id":"t1c1","path":"/note/4:"}]'],
  ['a slice of a text, up to its end', '/note/2:8', { count: 4 }, 'cdef\n[It goes on: {"id":"t1c1","path":"/note/6:8"}]'],
  ['a slice that ends with its text', '/note/2:10', { count: 4 }, 'cdef\n[It goes on: {"id":"t1c1","path":"/note/6:"}]'],
  ['a text that has more bytes than fit', '/note', { maxBytes: 3 }, 'abc\n[It goes on: {"id":"t1c1","path":"/note/3:"}]'],
  ['as many items as just fit', '/rows/*/id', { maxBytes: 12 }, '[1] 1\n[It goes on: {"id":"t1c1","path":"/rows/2:/id"}]'],
  ['as many items as fit, and no more', '/rows/*/id', { maxBytes: 11 }, '[0] 0\n[It goes on: {"id":"t1c1","path":"/rows/1:/id"}]'],
  [
    'an item that just fits with its place',
    '/rows/1:',
    { maxBytes: 27 },
    ']\n[1] {"id":1,"name":"row 1"}\n[It goes on: {"id":"t1c1","path":"/rows/2:"}]',
  ],
  [
    'an item that does not fit, as its size',
    '/rows/1:',
    { maxBytes: 26 },
    ']\n[1] (23 bytes, not shown: \n[It goes on: {"id":"t1c1","path":"/rows/2:"}]',
  ],
])('what does not fit goes on: %s', (_, path, how, end) => {
  expect(read(TABLE, path, how).slice(-end.length)).toBe(end)
})

test('of an object that does not fit the fields are lines; a field that is large by itself is said by its type', () => {
  const text = JSON.stringify({ a: 'x'.repeat(18), b: 'x'.repeat(19), c: [1, 2], d: 4, e: 'x'.repeat(30) })
  const fields = (how: { count?: number; maxBytes: number }) => read(text, '', how).split('\n').slice(1)
  const [a, b, c, d] = [`"a": "${'x'.repeat(18)}"`, `"b": "${'x'.repeat(19)}"`, '"c": [1,2]', '"d": 4']
  expect(text).toHaveLength(105)
  expect(fields({ maxBytes: 105 })).toEqual([text, '[End]'])
  expect(fields({ maxBytes: 104 })).toEqual([a, b, c, d, '[1 more fields: read them by their paths]'])
  expect(fields({ maxBytes: 103 })[1]).toBe('"b": (21 bytes, not shown: string)')
  expect(fields({ maxBytes: 100 })[0]).toBe(a)
  expect(fields({ maxBytes: 99 })[0]).toBe('"a": (20 bytes, not shown: string)')
  expect(fields({ maxBytes: 104, count: 1 })).toEqual([a, '[4 more fields: read them by their paths]'])
  expect(read(JSON.stringify({ a: 'x'.repeat(200) }), '', { maxBytes: 100 })).toMatch(/\n"a": \(202 bytes, not shown: string\)\n\[End\]$/)
  expect(fields({ maxBytes: 104, count: 9 })).toEqual(fields({ maxBytes: 104 }))
})
