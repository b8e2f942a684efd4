import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { THREATS, WHAT, WHO } from '../scripts/threats.ts'

test.each(WHO)('of whoever %s, it is said of each thing that he might do what notices it', (who) => {
  const said = THREATS.filter((threat) => threat.who === who).flatMap(({ what }) => what)
  expect(said.toSorted()).toEqual([...WHAT].toSorted())
})

test.each([...new Set(THREATS.flatMap(({ tests }) => tests))])('there is a test %s', (named) => {
  const [file = '', ...title] = named.split(': ')
  expect(readFileSync(join(import.meta.dirname, file), 'utf8')).toContain(`'${title.join(': ')}'`)
})
