import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FAILURES, type FailureKind } from '../../src/core/failure-codes.ts'

const SRC = join(import.meta.dirname, '../../src')
const kinds: [string, FailureKind][] = Object.entries(FAILURES)
const files = globSync('**/*.ts', { cwd: SRC })
  .filter((file) => file !== 'core/failure.ts')
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }))

/** Where a code is given to a failure, or chosen to be; not where somebody asks whether a failure has it. */
function placesOf(code: string): { file: string; ownCure: boolean }[] {
  const named = new RegExp(String.raw`(?<!(?:===|!==|case|has\(|\|) )'${code}'(?! \|)`, 'g')
  return files.flatMap(({ file, text }) =>
    [...text.matchAll(named)].map(({ index }) => ({ file, ownCure: /^\s*cure:/m.test(objectAround(text, index)) })),
  )
}

/** The object literal that a place of a source stands in. */
function objectAround(text: string, at: number): string {
  let start = at
  for (let depth = 0; start > 0 && depth < 1; start--) depth += text[start] === '{' ? 1 : text[start] === '}' ? -1 : 0
  let end = at
  for (let depth = 0; end < text.length && depth < 1; end++) depth += text[end] === '}' ? 1 : text[end] === '{' ? -1 : 0
  return text.slice(start + 1, end)
}

test.each(kinds)('%s is given somewhere, and its cure is meant there', (code) => {
  const places = placesOf(code)
  expect(places.length, `${code} is given nowhere: take it out of the table`).toBeGreaterThan(0)
  expect(
    places.some(({ ownCure }) => !ownCure),
    `each place that gives ${code} has a cure of its own: the one of the table is shown nowhere`,
  ).toBe(true)
})

test('no two codes say the same, or have the same cure', () => {
  for (const part of ['text', 'cure'] as const) {
    const said = kinds.map(([, kind]) => kind[part])
    expect(said.filter((one, at) => said.indexOf(one) !== at)).toEqual([])
  }
})
