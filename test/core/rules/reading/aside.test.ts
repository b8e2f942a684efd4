import { expect, test } from 'vitest'
import { lookAside, readAside, ungroundedAside } from '../../../../src/core/rules/reading/aside.ts'
import { lookAt } from '../../../../src/core/rules/reading/look.ts'

const table = JSON.stringify({
  rows: Array.from({ length: 40_000 }, (_, id) => ({ id, city: id === 31_000 ? 'Utrecht' : 'Delft' })),
  has_more: true,
})

test('a large result is looked at, read and searched for values in a thread, as a small one is beside it', async () => {
  expect(table.length).toBeGreaterThan(1_048_576)
  expect(await lookAside(table)).toEqual({
    shape: 'JSON: {rows: array of 40000, each {id: number, city: string}, has_more: boolean}',
    rest: { said: 'has_more: true', count: undefined },
  })
  expect(await readAside(table, { id: 't1c1', path: '/rows/31000/city' }, 4096)).toEqual({
    ok: true,
    text: '[t1c1 at /rows/31000/city: string]\nUtrecht\n[End]',
  })
  expect(await ungroundedAside({ a: 'Utrecht', b: 'Paris' }, ['a', 'b'], table)).toEqual([{ path: '/b', value: 'Paris' }])
})

test.each([
  ['brackets without end', '['.repeat(2_000_000)],
  ['objects in each other without end', '{"a":'.repeat(400_000)],
  ['words that are no JSON', `Found:\n${'[a {b "c '.repeat(200_000)}`],
  ['quotes', '"'.repeat(2_000_000)],
])('%s are a text, and no rest', (_, text) => {
  expect(lookAt(text)).toEqual({ shape: expect.stringMatching(/^text of [12] lines?$/), rest: null })
})

test('of a large text the words at its ends count, and JSON in its last line', () => {
  const lines = 'x\n'.repeat(600_000)
  expect(lookAt(`${lines}Showing 20 of 300 rows`).rest).toMatchObject({ said: 'Showing 20 of 300' })
  expect(lookAt(`${lines}{"next_cursor":"b"}`)).toMatchObject({ shape: 'JSON: {next_cursor: string}', rest: { said: 'next_cursor: b' } })
})
