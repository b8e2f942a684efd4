import { expect, test } from 'vitest'
import { compare, type Compared } from '../../src/eval/score.ts'

const trials = (...verdicts: Compared['verdict'][]): Compared[] =>
  verdicts.map((verdict, index) => ({ case: `c${index}`, repeat: 1, verdict }))
const all = (of: number, verdict: Compared['verdict']) => trials(...Array.from({ length: of }, () => verdict))

test('a difference is shown from a chance under 5 % on, and says which side is better', () => {
  expect(compare(all(6, 'right'), all(6, 'wrong'))).toMatchObject({ better: 6, worse: 0, of: 6, verdict: 'better' })
  expect(compare(all(6, 'false-green'), all(6, 'right'))).toMatchObject({ better: 0, worse: 6, verdict: 'worse' })
  expect(compare(all(5, 'right'), all(5, 'wrong'))).toMatchObject({ better: 5, verdict: 'no difference shown' })
})

test('what one of two sides did not decide is not compared', () => {
  expect(compare(trials('right', 'undecided', 'right'), trials('undecided', 'right', 'right'))).toMatchObject({
    of: 1,
    better: 0,
    worse: 0,
  })
})
