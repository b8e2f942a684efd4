import { expect, test } from 'vitest'
import { lookAt } from '../../../../src/core/rules/reading/look.ts'

/** A text that is longer than is searched for JSON in its middle. */
const MANY = 'x\n'.repeat(524_288)
const MORE = { rows: [1, 2], has_more: true }

test.each<[what: string, text: string, shape: string, said: string | undefined]>([
  ['JSON', JSON.stringify(MORE), 'JSON: {rows: array of 2, each number, has_more: boolean}', 'has_more: true'],
  ['JSON over several lines', JSON.stringify(MORE, null, 2), 'JSON: {rows: array of 2, each number, has_more: boolean}', 'has_more: true'],
  ['JSON below a text', `Found:\n${JSON.stringify(MORE)}`, 'JSON: {rows: array of 2, each number, has_more: boolean}', 'has_more: true'],
  ['a text above JSON', 'Showing 2 of 300 rows:\n[1,2]', 'JSON: array of 2, each number', 'Showing 2 of 300'],
  ['JSON inside a text', `Found:\n${JSON.stringify(MORE, null, 2)}\nBye`, 'text of 9 lines', 'has_more: true'],
  ['a text', 'a\nb', 'text of 2 lines', undefined],
  ['a number that no double holds', '[12345678901234567890]', 'JSON: array of 1, each number', undefined],
  ['JSON that is nested too deep', `${'['.repeat(1001)}${']'.repeat(1001)}`, 'text of 1 line', undefined],
  ['a long text that says so at its end', `${MANY}\nPage 1 of 3`, 'text of 524290 lines', 'Page 1 of 3'],
  [
    'JSON below a long text',
    `${MANY}${JSON.stringify(MORE)}`,
    'JSON: {rows: array of 2, each number, has_more: boolean}',
    'has_more: true',
  ],
  ['a long text that says so above JSON', `Showing 2 of 300 rows:\n${MANY}[1,2]`, 'JSON: array of 2, each number', 'Showing 2 of 300'],
  [
    'long JSON with a text that speaks of a cut',
    JSON.stringify({ pad: MANY, note: 'Fault: the output was truncated.' }),
    'JSON: {pad: string, note: string}',
    undefined,
  ],
  ['JSON inside a text that is just too long to be searched', `${MANY}${JSON.stringify(MORE)}\nBye`, 'text of 524290 lines', undefined],
  [
    'JSON inside a text that is just not too long to be searched',
    `${JSON.stringify(MORE)}\n`.padEnd(1_048_572, 'x\n').concat('\nBye'),
    'text of 524273 lines',
    'has_more: true',
  ],
])('%s', (_, text, shape, said) => {
  const look = lookAt(text)
  expect(look.shape).toBe(shape)
  expect(look.rest?.said).toBe(said)
})

test('where nothing says that there is more, there is no rest', () => {
  expect(lookAt('a').rest).toBeNull()
})
