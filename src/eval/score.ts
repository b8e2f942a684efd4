// What came of a trial, and of all trials of an arm.
import { describeFailure } from '../core/failure.ts'
import type { RunView } from '../core/view.ts'
import { contentFaults, endingFaults, type Expectation } from './cases/expect.ts'
import { median, pairedDifference, wilson, type Interval, type PairedDifference } from './statistics.ts'

/**
 * `right`: as the case expects. `false-green`: green, and not so. `missed`: the values are right and the run is not green though it should be. `wrong`: any
 * other. `undecided`: the run never came to the model's work, so it says nothing about it.
 */
export type Verdict = 'right' | 'false-green' | 'missed' | 'wrong' | 'undecided'

export interface Checked {
  verdict: Verdict
  /** What is not as expected, a line each. */
  faults: string[]
}

/** Holds a run against what its case expects. */
export function checkRun(run: RunView, expected: Expectation): Checked {
  if (isUndecided(run, expected)) return { verdict: 'undecided', faults: [whyUndecided(run)] }
  const content = expected.ending === 'failed' ? [] : contentFaults(run, expected)
  const ending = endingFaults(run, expected)
  const faults = [...ending, ...content]
  if (faults.length === 0) return { verdict: 'right', faults }
  if (run.status === 'succeeded') return { verdict: 'false-green', faults }
  const isMissed = expected.ending === 'succeeded' && run.status === 'incomplete' && content.length === 0
  return { verdict: isMissed ? 'missed' : 'wrong', faults }
}

/** A run that waits for a person, was cancelled, or failed before the model said anything or for a reason that time heals. */
function isUndecided({ status, failure, turns }: RunView, { ending }: Expectation): boolean {
  if (status === 'waiting' || status === 'cancelled' || status === 'queued' || status === 'running') return true
  return status === 'failed' && ending !== 'failed' && (turns.length === 0 || failure?.retry === 'later')
}

const whyUndecided = ({ status, failure }: RunView) => (failure ? `${failure.code}: ${describeFailure(failure)}` : `the run is ${status}`)

/** A trial of a case: the nth of that arm. */
export interface Trial extends Checked {
  arm: string
  case: string
  repeat: number
  run: RunView
}

export interface Score {
  arm: string
  trials: number
  /** Among the green ones. */
  falseGreen: { hits: number; of: number } & Interval
  /** Among those that were decided. */
  right: { hits: number; of: number } & Interval
  /** Cases that were right each time, of those that were decided each time. */
  always: { hits: number; of: number }
  missed: number
  undecided: number
  costUsd: number
  /** Null where the cost of a run is not known whole, or nothing was right. */
  usdPerRight: number | null
  turns: number | undefined
  seconds: number | undefined
}

/** Sums up the trials of one arm. */
export function scoreOf(arm: string, trials: readonly Trial[]): Score {
  const decided = trials.filter(({ verdict }) => verdict !== 'undecided')
  const count = (...verdicts: Verdict[]) => decided.filter(({ verdict }) => verdicts.includes(verdict)).length
  const green = decided.filter(({ run }) => run.status === 'succeeded').length
  const right = count('right')
  const falseGreen = count('false-green')
  const byCase = [...Map.groupBy(trials, (trial) => trial.case).values()].filter((some) =>
    some.every(({ verdict }) => verdict !== 'undecided'),
  )
  const costs = trials.map(({ run }) => run.cost.usd)
  const isKnown = trials.every(({ run: { cost } }) => cost.usd !== null && !cost.atLeast)
  const costUsd = costs.reduce<number>((sum, usd) => sum + (usd ?? 0), 0)
  return {
    arm,
    trials: trials.length,
    falseGreen: { hits: falseGreen, of: green, ...wilson(falseGreen, green) },
    right: { hits: right, of: decided.length, ...wilson(right, decided.length) },
    always: { hits: byCase.filter((some) => some.every(({ verdict }) => verdict === 'right')).length, of: byCase.length },
    missed: count('missed'),
    undecided: trials.length - decided.length,
    costUsd,
    usdPerRight: right === 0 || !isKnown ? null : costUsd / right,
    turns: median(decided.map(({ run }) => run.turns.length)),
    seconds: median(decided.flatMap(({ run }) => secondsOf(run) ?? [])),
  }
}

function secondsOf({ startedAt, finishedAt }: RunView): number | undefined {
  return startedAt === null || finishedAt === null ? undefined : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000
}

/** What is known of a trial when two arms, or two evals, are compared: the same case and repeat stand for each other. */
export type Compared = Pick<Trial, 'case' | 'repeat' | 'verdict'>

/** From this chance on a difference is not shown by the trials. */
const CHANCE = 0.05

/** Two arms over the same trials: how many the first has right alone, the second alone, of all that both decided, and whether that shows a difference. */
export interface Comparison extends PairedDifference {
  better: number
  worse: number
  of: number
  verdict: 'better' | 'worse' | 'no difference shown'
}

/** How often the first arm is right where the second is, by case and repeat. Trials that one of them did not decide are left out. */
export function compare(first: readonly Compared[], second: readonly Compared[]): Comparison {
  const keyOf = (trial: Compared) => `${trial.case} ${trial.repeat}`
  const others = new Map(second.map((trial) => [keyOf(trial), trial]))
  const pairs = { both: 0, first: 0, second: 0, neither: 0 }
  for (const trial of first) {
    const other = others.get(keyOf(trial))
    if (!other || trial.verdict === 'undecided' || other.verdict === 'undecided') continue
    const [mine, theirs] = [trial.verdict === 'right', other.verdict === 'right']
    pairs[mine ? (theirs ? 'both' : 'first') : theirs ? 'second' : 'neither']++
  }
  const paired = pairedDifference(pairs)
  return {
    ...paired,
    verdict: paired.p >= CHANCE ? 'no difference shown' : paired.difference > 0 ? 'better' : 'worse',
    better: pairs.first,
    worse: pairs.second,
    of: pairs.both + pairs.first + pairs.second + pairs.neither,
  }
}
