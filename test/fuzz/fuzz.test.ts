import fc from 'fast-check'
import { expect, test } from 'vitest'
import { environment } from '../../src/config/environment.ts'
import { meetAll, oddity } from './world.ts'

/** How many answers; 5,000 take some minutes. */
const ANSWERS = Number(environment['NIGHTSHIFT_FUZZ_ANSWERS'] ?? 300)
const SEED = Number(environment['NIGHTSHIFT_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test(`no answer of a server or a model is taken for a fault of Nightshift: ${ANSWERS} odd ones`, { timeout: 1_800_000 }, async () => {
  const found = await meetAll(fc.sample(oddity, { numRuns: ANSWERS, seed: SEED }))
  expect(
    found.map((one) => JSON.stringify(one)),
    `seed ${SEED}`,
  ).toEqual([])
})
