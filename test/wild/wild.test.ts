import { expect, test } from 'vitest'
import { WILD } from './cases.ts'
import { playCase } from './play.ts'

test.each(WILD.map((one) => [one.name, one] as const))('%s', async (_, one) => {
  const { asExpected, came, expected } = await playCase(one)
  expect(asExpected ? expected : came).toBe(expected)
})

test('each case is there once', () => {
  expect(new Set(WILD.map(({ name }) => name)).size).toBe(WILD.length)
})
