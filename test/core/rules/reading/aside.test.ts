import { expect, test } from 'vitest'
import { createAside, lookAside, readAside, ungroundedAside } from '../../../../src/core/rules/reading/aside.ts'
import { TOO_COSTLY } from '../../../../src/core/words/reading.ts'
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

test('a text of at most 262,144 characters is read at once; a longer one that costs too much says nothing of a rest, and cannot be read so', async () => {
  const { lookAside: look, readAside: page, ungroundedAside: ground } = createAside(() => Promise.resolve(undefined))
  const text = `a\n${'b'.repeat(262_142)}`
  expect(await look(text)).toEqual({ shape: 'text of 2 lines', rest: null })
  expect(await page(text, { id: 't1c1', count: 1 }, 4096)).toMatchObject({ ok: true })
  expect(await ground('a', [''], text)).toEqual([])
  const longer = `${text}\nShowing 20 of 300 rows`
  expect(await look(longer)).toEqual({ shape: 'text of 3 lines', rest: null })
  expect(await page(longer, { id: 't1c1' }, 4096)).toEqual({ ok: false, why: TOO_COSTLY })
  expect(await ground('a', [''], longer)).toBeUndefined()
})

test('of a longer text what the thread says is said, and of a shorter one it is not asked', async () => {
  const asked: number[] = []
  const { lookAside: look } = createAside((task) => {
    asked.push(task.text.length)
    return Promise.resolve({ look: { shape: 'as the thread says', rest: null } })
  })
  expect((await look('b'.repeat(262_145))).shape).toBe('as the thread says')
  expect((await look('b'.repeat(262_144))).shape).toBe('text of 1 line')
  expect(asked).toEqual([262_145])
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
