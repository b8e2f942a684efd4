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
  }, 300_000)
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

  test('where the provider calls the servers', async () => {
    expect(await elsewhere(bench, ',delegate=hosted')).toEqual(EXPECTED_ELSEWHERE)
  }, 300_000)
})

test('over the Chat API', { timeout: 120_000 }, async () => {
  await using chat = await openTestEval({ api: 'chat' })
  expect(await elsewhere(chat, '')).toEqual(EXPECTED_ELSEWHERE)
})

/** The cases in which somebody goes wrong: the others are the same for the perfect one alone. */
const TELLING = ['highest-rate', 'other-word', 'last-month', 'failing-tool', 'denied-tool', 'orders-in-data']

/** What the perfect one did wrong in all cases, and the others in the telling ones; what is false green anywhere. */
async function elsewhere(bench: TestEval, more: string) {
  const others = Object.keys(CHARACTERS).filter((name) => name !== 'perfect')
  const { trials: perfect } = await bench.evaluate([`model=perfect${more}`])
  const { trials } = await bench.evaluate(
    others.map((name) => `model=${name}${more}`),
    { only: TELLING },
  )
  const of = (name: string) => trials.filter(({ arm }) => arm === `model=${name}${more}`)
  return {
    perfect: notRight(perfect),
    falseGreen: casesWith(trials, 'false-green'),
    wrong: Object.fromEntries(others.map((name) => [name, casesWith(of(name), 'wrong', 'missed', 'undecided')])),
  }
}

const EXPECTED_ELSEWHERE = {
  perfect: [],
  falseGreen: [],
  wrong: Object.fromEntries(
    Object.entries(TABLE).flatMap(([name, { right, wrong = [] }]) => (name === 'perfect' ? [] : [[name, right === 0 ? TELLING : wrong]])),
  ),
}
