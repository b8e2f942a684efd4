import { expect, test } from 'vitest'
import { readPage, type ReadArguments } from '../../../../src/core/rules/reading/read.ts'

const rows = (n: number) => Array.from({ length: n }, (_, at) => ({ id: at, name: `row ${at}`, tags: ['a', 'b'] }))
const TABLE = JSON.stringify({ rows: rows(1000), note: 'x'.repeat(5000), 'a/b': { '10:30': 'half past ten' } })
const LINES = Array.from({ length: 500 }, (_, at) => `line number ${at + 1}`).join('\n')

const read = (text: string, asked: Omit<ReadArguments, 'id'>, resultBytes = 4096) => {
  const page = readPage(text, { id: 't1c1', ...asked }, resultBytes)
  return page.ok ? page.text : page.why
}

test.each<[what: string, text: string, asked: Omit<ReadArguments, 'id'>, expected: string]>([
  ['lines from the first', 'a\nb\nc', {}, '[t1c1: lines 1 to 3 of 3]\na\nb\nc\n[End]'],
  ['so many lines as are asked for', 'a\nb\nc', { count: 2 }, '[t1c1: lines 1 to 2 of 3]\na\nb\n[It goes on: {"id":"t1c1","line":3}]'],
  ['lines from a later one', 'a\nb\nc', { line: 2, count: 1 }, '[t1c1: lines 2 to 2 of 3]\nb\n[It goes on: {"id":"t1c1","line":3}]'],
  ['no line behind the last', 'a\nb\n', { line: 3 }, 'Error: it has 2 lines.'],
  ['empty lines', '\n\n', { line: 2 }, '[t1c1: lines 2 to 2 of 2]\n\n[End]'],
  ['bytes at whole characters', 'äöü', { offset: 1, count: 4 }, '[t1c1: bytes 0 to 3 of 6]\näö\n[It goes on: {"id":"t1c1","offset":4}]'],
  ['bytes from the first', 'abc', { offset: 0, count: 4 }, '[t1c1: bytes 0 to 2 of 3]\nabc\n[End]'],
  ['no byte behind the last', 'abc', { offset: 3 }, 'Error: it has 3 bytes.'],
  [
    'arguments that are all there and say nothing',
    'a',
    { line: 1, offset: 0, path: '', search: '', context: 0 },
    '[t1c1: lines 1 to 1 of 1]\na\n[End]',
  ],
  [
    'nothing of two ways at once',
    'a',
    { line: 2, path: '/a' },
    'Error: a read is by line, by offset, by path or by search: give one of them (offset may stand beside search).',
  ],
  [
    'nothing of an offset and a path',
    'a',
    { offset: 1, path: '/a' },
    'Error: a read is by line, by offset, by path or by search: give one of them (offset may stand beside search).',
  ],
  [
    'nothing of a path and a search',
    'a',
    { path: '/a', search: 'a' },
    'Error: a read is by line, by offset, by path or by search: give one of them (offset may stand beside search).',
  ],
  ['bytes, also beside a first line', 'abc', { line: 1, offset: 1 }, '[t1c1: bytes 1 to 2 of 3]\nbc\n[End]'],
  [
    'places in any letters',
    'a\nÄrger',
    { search: 'ÄRGER', ignoreCase: true },
    '[t1c1: 1 place with "ÄRGER"]\nline 2, byte 2:\nÄrger\n[End]',
  ],
  ['a value at a path', TABLE, { path: '/rows/7/name' }, '[t1c1 at /rows/7/name: string]\nrow 7\n[End]'],
  [
    'a slice with a count',
    TABLE,
    { path: '/rows/*/id', count: 2 },
    '[t1c1 at /rows: array of 1000, each {id: number, name: string, tags: array of string}]\n[0] 0\n[1] 1\n[It goes on: {"id":"t1c1","path":"/rows/2:/id"}]',
  ],
  [
    'no path in what is no JSON',
    'a,b',
    { path: '/a' },
    'Error: this result is no JSON, so it has no paths. Read it by lines, or search it.',
  ],
  [
    'places of a text',
    'a\nfind me\nb\nfind',
    { search: 'find' },
    '[t1c1: 2 places with "find"]\nline 2, byte 2:\nfind me\nline 4, byte 12:\nfind\n[End]',
  ],
  [
    'so many places as are asked for',
    'x\nx\nx',
    { search: 'x', count: 2 },
    '[t1c1: 3 places with "x"]\nline 1, byte 0:\nx\nline 2, byte 2:\nx\n[It goes on: {"id":"t1c1","search":"x","offset":4}]',
  ],
  ['places from a byte', 'x\nx\nx', { search: 'x', offset: 4 }, '[t1c1: 1 place with "x" from byte 4]\nline 3, byte 4:\nx\n[End]'],
  ['no place', 'abc', { search: '[a-z]+' }, '[t1c1: 0 places with "[a-z]+"]\n[End]'],
  ['a line end that is looked for', '\na', { search: '\n' }, '[t1c1: 1 place with "\\n"]\nline 1, byte 0:\n\n[End]'],
])('%s', (_, text, asked, expected) => {
  expect(read(text, asked)).toBe(expected)
})

/** Follows a page to its end, and gives what all of them said. */
function readAll(text: string, first: Omit<ReadArguments, 'id'>, resultBytes: number): { pages: number; said: string } {
  let asked: Omit<ReadArguments, 'id'> | undefined = first
  let [pages, said] = [0, '']
  while (asked) {
    const page = read(text, asked, resultBytes)
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(resultBytes)
    const [, ...lines] = page.split('\n')
    const end = lines.pop() ?? ''
    said += lines.join('\n')
    pages++
    const next = /^\[It goes on: (.*)\]$/.exec(end)?.[1]
    asked = next === undefined ? undefined : JSON.parse(next)
  }
  return { pages, said }
}

test.each<[what: string, text: string, asked: Omit<ReadArguments, 'id'>, holds: string[]]>([
  ['lines', LINES, {}, ['line number 1', 'line number 250', 'line number 500']],
  ['one line of JSON, by bytes', TABLE, {}, ['{"rows":', 'row 999']],
  ['characters of several bytes', 'ä🚀'.repeat(3000), {}, ['ä🚀']],
  ['items', TABLE, { path: '/rows' }, ['[0] {"id":0', '[500] {"id":500', '[999] {"id":999']],
  ['a field of each item', TABLE, { path: '/rows/*/name' }, ['[0] "row 0"', '[999] "row 999"']],
  ['a long text', TABLE, { path: '/note' }, ['x'.repeat(5000)]],
  ['places', LINES, { search: 'number', context: 2 }, ['line 1, byte 5', 'line 500,']],
  ['places in one line', TABLE, { search: '"name"' }, ['row 999']],
])('all pages together are the whole: %s', (_, text, asked, holds) => {
  const { pages, said } = readAll(text, asked, 4096)
  expect(pages).toBeGreaterThan(1)
  for (const one of holds) expect(said).toContain(one)
})

test('pages of bytes are the text itself', () => {
  expect(readAll(TABLE, { offset: 0 }, 4096).said).toBe(TABLE)
})

test.each<[what: string, text: string, asked: Omit<ReadArguments, 'id'>]>([
  ['many places in one line', 'ab'.repeat(2_000_000), { search: 'ab' }],
  ['a text that nearly stands everywhere', 'a'.repeat(4_000_000), { search: `${'a'.repeat(500)}b`, ignoreCase: true }],
  ['many short lines', '\n'.repeat(4_000_000), { line: 3_999_000 }],
  ['many lines with a place each, with lines around them', 'x\n'.repeat(2_000_000), { search: 'x', context: 20 }],
  ['letters that grow', 'İ'.repeat(1_000_000), { search: 'i', ignoreCase: true }],
  ['a long list', `[${'0,'.repeat(2_000_000)}0]`, { path: '/1999990:' }],
  ['brackets without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, { path: '/0' }],
  ['many fields', JSON.stringify(Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`key ${at}`, at]))), { path: '/' }],
  ['a field with a long name', JSON.stringify({ ['k'.repeat(1_000_000)]: 1, b: 'x'.repeat(9000) }), { path: '/' }],
])('what means harm costs no more than its length, and gives a small page: %s', (_, text, asked) => {
  expect(Buffer.byteLength(read(text, asked))).toBeLessThanOrEqual(4096)
})
