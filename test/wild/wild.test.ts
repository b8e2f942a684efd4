import { expect, test } from 'vitest'
import { WILD, WILD_MODELS } from './cases.ts'
import { playModelCase } from './models/play.ts'
import { playCase } from './play.ts'

test.each(WILD.map((one) => [one.name, one] as const))('%s', async (_, one) => {
  const { asExpected, came, expected } = await playCase(one)
  expect(asExpected ? expected : came).toBe(expected)
})

test.each(WILD_MODELS.map((one) => [one.api, one.name, one] as const))('a model behind %s: %s', async (_, __, one) => {
  const { came, expected } = await playModelCase(one)
  expect(came).toBe(expected)
})

test('each case is there once', () => {
  expect(new Set(WILD.map(({ name }) => name)).size).toBe(WILD.length)
  expect(new Set(WILD_MODELS.map(({ api, name }) => `${api} ${name}`)).size).toBe(WILD_MODELS.length)
})
