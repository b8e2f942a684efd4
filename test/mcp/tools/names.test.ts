import { expect, test } from 'vitest'
import { nameTools, type ToolRef } from '../../../src/mcp/tools/names.ts'

const namesOf = (...tools: [string, string][]) => {
  const refs = tools.map(([server, tool]) => ({ server, tool }))
  return refs.map(nameTools(refs))
}

test.each([
  ['labor', 'query', 'labor__query'],
  ['hr-prod', 'get_row', 'hr-prod__get_row'],
  ['my.server', 'query', 'my_server__query'],
  ['labor', 'rows/list?', 'labor__rows_list_'],
  ['Büro', '列表', 'B_ro____'],
  ['a__b', 'c', 'a__b__c'],
  ['a', 'b'.repeat(61), `a__${'b'.repeat(61)}`],
  ['a', 'b'.repeat(300), `a__${'b'.repeat(61)}`],
])('%s and %s are joined so that they can be read', (server, tool, name) => {
  expect(namesOf([server, tool])).toEqual([name])
})

const clashes: [string, [string, string][]][] = [
  [
    'that read alike',
    [
      ['a', 'b__c'],
      ['a__b', 'c'],
    ],
  ],
  [
    'that differ in a sign alone',
    [
      ['a', 'rows.list'],
      ['a', 'rows/list'],
    ],
  ],
  [
    'that differ at their end alone',
    [
      ['a', `${'b'.repeat(70)}1`],
      ['a', `${'b'.repeat(70)}2`],
    ],
  ],
]
test.each(clashes)('names %s end in a hash each', (_, tools) => {
  const names = namesOf(...tools)
  expect(new Set(names).size).toBe(2)
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,55}_[0-9a-f]{8}$/)
})

test('a name does not depend on the order of the tools, nor on tools that it does not clash with', () => {
  const [one, two] = namesOf(['a', 'b.c'], ['a', 'b/c'])
  expect(namesOf(['x', 'y'], ['a', 'b/c'], ['a', 'b.c'])).toEqual(['x__y', two, one])
})

test('a tool that is called as another one with its hash gets a hash as well', () => {
  const [hashed = ''] = namesOf(['a', 'b.c'], ['a', 'b/c'])
  const names = namesOf(['a', 'b.c'], ['a', 'b/c'], ['a', hashed.slice('a__'.length)])
  expect(new Set(names).size).toBe(3)
})

test('a server cannot take the name of a tool of Nightshift’s own', () => {
  expect(namesOf(['nightshift', 'read'])[0]).toMatch(/^nightshift__read_[0-9a-f]{8}$/)
})

test('no two tools get one name', () => {
  const parts = ['a', 'b', 'a_', '_a', 'a__b', 'b__a', '_', '__', 'a.b', 'a/b', 'a b', 'é', 'ü', 'x'.repeat(70), `${'x'.repeat(70)}y`]
  const refs: ToolRef[] = parts.flatMap((server) => parts.map((tool) => ({ server, tool })))
  const names = refs.map(nameTools(refs))
  expect(new Set(names).size).toBe(refs.length)
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
})
