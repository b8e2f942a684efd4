import { expect, test } from 'vitest'
import { jsonIn, shapeOf } from '../../../../src/core/rules/reading/shape.ts'

const shape = (text: string) => shapeOf(text, jsonIn(text))

test.each<[what: string, text: string, expected: string]>([
  ['a list of rows', '[{"a":1,"b":"x"},{"a":2}]', 'JSON: array of 2, each {a: number, b?: string}'],
  ['a list in an object', '{"rows":[[1,2],[3]],"next":null}', 'JSON: {rows: array of 2, each array of number, next: null}'],
  ['values of several types', '[1,"a",null]', 'JSON: array of 3, each null or number or string'],
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
