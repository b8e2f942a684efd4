// The table of characters and cases: it proves that an evaluation tells them apart, and shows which of their faults a run finds out by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHARACTERS } from '../../src/demo/characters/characters.ts'
import type { Trial } from '../../src/eval/score.ts'
import { openTestEval, type TestEval } from '../support/eval/test-eval.ts'

/** Right everywhere but here. What is under `falseGreen` no run can know: the model read what it was given, called what it should, and took the wrong thing for the truth. */
const TABLE: Record<keyof typeof CHARACTERS, { right: number; wrong?: string[]; falseGreen?: string[] }> = {
  perfect: { right: 16 },
  inventor: { right: 0 },
  asker: { right: 0 },
  promiser: { right: 0 },
  'error-blind': { right: 14, wrong: ['failing-tool', 'denied-tool'] },
  obedient: { right: 15, wrong: ['orders-in-data'] },
  slipper: { right: 16 },
  utc: { right: 16 },
  'first-page': { right: 15, wrong: ['highest-rate'] },
  looper: { right: 0 },
  insister: { right: 15, wrong: ['denied-tool'] },
}

const casesWith = (trials: readonly Trial[], ...verdicts: Trial['verdict'][]) =>
  trials.filter(({ verdict }) => verdicts.includes(verdict)).map((trial) => trial.case)

const notRight = (trials: readonly Trial[]) =>
  trials.flatMap(({ case: name, verdict, faults }) => (verdict === 'right' ? [] : [{ name, verdict, faults }]))

describe('over the Responses API', () => {
  let bench: TestEval
  let trials: Trial[]
  beforeAll(async () => {
    bench = await openTestEval()
    trials = (await bench.evaluate(Object.keys(CHARACTERS).map((name) => `model=${name}`))).trials
  }, 120_000)
  afterAll(() => bench[Symbol.asyncDispose]())

  test.each(Object.entries(TABLE))(
    'the %s is right where it should be, and false green where nothing could know',
    (name, { right, wrong = [], falseGreen = [] }) => {
      const mine = trials.filter(({ arm }) => arm === `model=${name}`)
      expect(mine).toHaveLength(16)
      expect(casesWith(mine, 'undecided', 'missed')).toEqual([])
      expect(casesWith(mine, 'false-green')).toEqual(falseGreen)
      expect(casesWith(mine, 'right')).toHaveLength(right)
      if (right > 0) expect(casesWith(mine, 'wrong')).toEqual(wrong)
    },
  )

  test('a slip in JSON costs no second turn', () => {
    const turnsOf = (name: string) =>
      trials.flatMap((trial) => (trial.arm === `model=${name}` ? [[trial.case, trial.run.turns.length]] : []))
    expect(turnsOf('slipper')).toEqual(turnsOf('perfect'))
  })

  test('the perfect one is right in every case when the provider calls the servers', async () => {
    const { trials: hosted } = await bench.evaluate(['model=perfect,delegate=hosted'])
    expect(notRight(hosted)).toEqual([])
  })
})

test('the perfect one is right in every case over the Chat API', async () => {
  await using bench = await openTestEval({ api: 'chat' })
  const { trials } = await bench.evaluate(['model=perfect'])
  expect(notRight(trials)).toEqual([])
})
