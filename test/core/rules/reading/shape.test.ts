import { expect, test } from 'vitest'
import { countLines, jsonIn, shapeOf, typeOf } from '../../../../src/core/rules/reading/shape.ts'

const shape = (text: string) => shapeOf(text, jsonIn(text)?.value)

test.each<[what: string, text: string, expected: string]>([
  ['a list of rows', '[{"a":1,"b":"x"},{"a":2}]', 'JSON: array of 2, each {a: number, b?: string}'],
  ['a list in an object', '{"rows":[[1,2],[3]],"next":null}', 'JSON: {rows: array of 2, each array of number, next: null}'],
  ['values of several types', '[1,"a",null]', 'JSON: array of 3, each null or number or string'],
  ['lists that are nested deeper than is said', '[[[[[1]]]]]', 'JSON: array of 1, each array of 1, each array of 1, each array of 1'],
  ['JSON that ends its line', '{"a":1}\n', 'JSON: {a: number}'],
  ['JSON that ends its line, below a text', 'Found:\n{"a":1}\n', 'JSON: {a: number}'],
  ['an empty list', '[]', 'JSON: array of 0'],
  ['what is nested deeper than is said', '{"a":{"b":{"c":{"d":1}}}}', 'JSON: {a: {b: {c: object}}}'],
  [
    'many fields',
    JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k${at}`, 1]))),
    `JSON: {${Array.from({ length: 15 }, (_, at) => `k${at}: number`).join(', ')}, …}`,
  ],
  ['JSON below a text', 'Two rows.\n{"rows":[1,2]}', 'JSON: {rows: array of 2, each number}'],
  ['a table', 'id,name,mail\n1,Ann,a@x\n2,Bob,b@x\n', 'table of 3 lines, whose first is: id,name,mail'],
  ['a table with tabs', 'id\tname\n1\tAnn\n2\tBob', 'table of 3 lines, whose first is: id\tname'],
  ['a table with semicolons', 'id;name\n1;Ann\n2;Bob', 'table of 3 lines, whose first is: id;name'],
  ['a table with bars, whose lines end as on Windows', 'id|name\r\n1|Ann\r\n2|Bob\r\n', 'table of 3 lines, whose first is: id|name'],
  ['a table that is indented', '  id,name\n  1,Ann\n  2,Bob', 'table of 3 lines, whose first is:   id,name'],
  ['a table with fewer values in a line', 'id,name\n1,Ann\n2', 'text of 3 lines'],
  ['a head with one line', 'id,name\n1,Ann', 'text of 2 lines'],
  ['a table with a long head', `id,${'n'.repeat(297)}\n1,Ann\n2,Bob`, `table of 3 lines, whose first is: id,${'n'.repeat(297)}`],
  ['a table with a head that is too long', `id,${'n'.repeat(298)}\n1,Ann\n2,Bob`, 'text of 3 lines'],
  ['a line of JSON that is all of a text', 'x {"a":1}', 'text of 1 line'],
  [
    'fifteen fields',
    JSON.stringify(Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`k${at}`, 1]))),
    `JSON: {${Array.from({ length: 15 }, (_, at) => `k${at}: number`).join(', ')}}`,
  ],
  ['a name of sixty characters', JSON.stringify({ ['n'.repeat(60)]: 1 }), `JSON: {${'n'.repeat(60)}: number}`],
  ['a longer name', JSON.stringify({ ['n'.repeat(61)]: 1 }), `JSON: {${'n'.repeat(60)}…: number}`],
  [
    'items that differ behind the fiftieth',
    JSON.stringify([...Array.from({ length: 50 }, () => 1), 'a']),
    'JSON: array of 51, each number',
  ],
  [
    'items that differ at the fiftieth',
    JSON.stringify([...Array.from({ length: 49 }, () => 1), 'a']),
    'JSON: array of 50, each number or string',
  ],
  [
    'lists whose items differ behind the fiftieth',
    JSON.stringify([Array.from({ length: 50 }, () => 1), ['a']]),
    'JSON: array of 2, each array of number',
  ],
  ['prose, also with a comma in its first line', 'Dear all,\nthis is it.\nBye', 'text of 3 lines'],
  ['one line', 'x', 'text of 1 line'],
])('%s', (_, text, expected) => {
  expect(shape(text)).toBe(expected)
})

test('what means harm is said in few words', () => {
  for (const text of [
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    JSON.stringify({ ['k'.repeat(100_000)]: 1 }),
    `[${'{"a":1},'.repeat(100_000)}1]`,
  ])
    expect(shape(text).length).toBeLessThan(800)
})

test.each<[text: string, lines: number]>([
  ['', 0],
  ['a', 1],
  ['a\n', 1],
  ['a\nb', 2],
  ['\n\n', 2],
])('%j has %i lines', (text, lines) => {
  expect(countLines(text)).toBe(lines)
})

test('a type is said in 700 characters', () => {
  const fields = (length: number) =>
    Object.fromEntries([...Array.from({ length: 9 }, (_, at) => [`${at}`.repeat(60), 1]), ['x'.repeat(length), 1]])
  expect(typeOf(fields(60))).toHaveLength(700)
  expect(typeOf(fields(60))).toMatch(/: number\}$/)
  expect(typeOf(fields(61))).toMatch(/: number…$/)
  expect(typeOf(fields(61))).toHaveLength(701)
})
