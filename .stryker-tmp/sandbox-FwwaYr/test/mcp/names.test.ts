// @ts-nocheck
import { expect, test } from 'vitest'
import { modelToolName } from '../../src/mcp/names.ts'

test.each([
  ['labor', 'query', 'labor__query'],
  ['hr-prod', 'get_row', 'hr-prod__get_row'],
  ['a', 'b'.repeat(61), `a__${'b'.repeat(61)}`],
])('joins %s and %s', (server, tool, name) => {
  expect(modelToolName(server, tool)).toBe(name)
})

const awkward: [string, string, string][] = [
  ['too long', 'a', 'b'.repeat(62)],
  ['much too long', 'server'.repeat(30), 'tool'.repeat(300)],
  ['with dots', 'labor', 'rows.list'],
  ['with spaces and signs', 'la bor', 'rows/list?'],
  ['outside ASCII', 'Büro', '列表'],
  ['outside the plane', 'labor', '🦉'.repeat(40)],
  ['with two underscores', 'a__b', 'c'],
  ['with a NUL', 'a\0b', 'c'],
]
test.each(awkward)('gives names %s a hash, in the alphabet that providers take', (_, server, tool) => {
  expect(modelToolName(server, tool)).toMatch(/^[A-Za-z0-9_-]{1,55}_[0-9a-f]{8}$/)
})

test('gives no two tools one name', () => {
  const parts = ['a', 'b', 'a_', '_a', 'a__b', 'b__a', '_', '__', 'a.b', 'a/b', 'a b', 'é', 'ü', 'x'.repeat(70), `${'x'.repeat(70)}y`]
  const names = parts.flatMap((server) => parts.map((tool) => modelToolName(server, tool)))
  expect(new Set(names).size).toBe(parts.length ** 2)
})

test('follows from the pair alone', () => {
  expect(modelToolName('labor', 'rows.list')).toBe('labor__rows_list_c38f6ad5')
})
