import type { Baseline } from '../../../eval/files.ts'
import { join } from 'node:path'
import { compare, scoreOf, type Compared, type Score, type Trial } from '../../../eval/score.ts'
import type { Evaluated } from '../../../eval/evaluate.ts'
import { pageNameOf } from '../../../eval/page.ts'
import { describeFailure } from '../../../core/failure.ts'
import { showText } from '../../../lib/text.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const MARKS = { right: 'ok', 'false-green': 'FALSE GREEN', missed: 'missed', wrong: 'wrong', undecided: '?' } as const

const STOPPED = {
  money: 'the money is used up (--max-cost)',
  signal: 'it was ended',
  failure: 'they would fail for the same reason',
} as const

/** Scores of the arms, in order. */
export const scoresOf = ({ arms, trials }: Evaluated): Score[] =>
  arms.map((arm) =>
    scoreOf(
      arm,
      trials.filter((trial) => trial.arm === arm),
    ),
  )

/** What came of an evaluation, for people: false green first. */
export function reportOf(
  evaluated: Evaluated,
  terminal: Terminal,
  { baseline, dir }: { baseline: Baseline | undefined; dir: string },
): string {
  const { job, arms, trials } = evaluated
  const cases = new Set(trials.map((trial) => trial.case)).size
  return [
    `${job}: ${cases} cases, ${trials.length} runs, ${trials.some(({ run }) => run.usage.estimated) ? 'at least ' : ''}${evaluated.spentUsd.toFixed(2)} USD`,
    scoreTable(scoresOf(evaluated), terminal),
    ...(arms.length > 1 ? [caseTable(evaluated, terminal)] : []),
    ...comparisons(evaluated, baseline),
    ...notRight(evaluated, terminal, dir),
    ...(evaluated.left > 0 ? [`${evaluated.left} runs were not begun or not finished: ${STOPPED[evaluated.stoppedBy ?? 'signal']}.`] : []),
    ...(evaluated.failure ? [`${evaluated.failure.code} ${showText(describeFailure(evaluated.failure))}`] : []),
    `A page for each run, and eval.json with everything: ${dir}`,
  ].join('\n\n')
}

const percent = (share: number) => (share * 100).toFixed(0)
const rate = ({ hits, of, low, high }: Score['right']) => (of === 0 ? '0/0' : `${hits}/${of}  ${percent(low)}–${percent(high)} %`)

function scoreTable(scores: readonly Score[], terminal: Terminal): string {
  const rows = scores.map((score) => [
    fit(score.arm, 40),
    rate(score.falseGreen),
    rate(score.right),
    `${score.always.hits}/${score.always.of}`,
    String(score.missed),
    String(score.undecided),
    score.usdPerRight === null ? '–' : score.usdPerRight.toFixed(4),
    score.turns === undefined ? '–' : String(score.turns),
    score.seconds === undefined ? '–' : score.seconds.toFixed(1),
  ])
  return renderTable(terminal, ['', 'false green', 'right', 'always', 'missed', 'undecided', 'USD/right', 'turns', 's'], rows, {
    right: [3, 4, 5, 6, 7, 8],
    cut: { 0: 12 },
  })
}

function caseTable({ arms, trials }: Evaluated, terminal: Terminal): string {
  const rows = [...Map.groupBy(trials, (trial) => trial.case)].map(([name, some]) => [
    fit(name, 30),
    ...arms.map((arm) => cellOf(some.filter((trial) => trial.arm === arm))),
  ])
  return renderTable(terminal, ['case', ...arms.map((arm) => fit(arm.replace(/^model=/, ''), 24))], rows)
}

function cellOf(trials: readonly Trial[]): string {
  const [only] = trials
  if (only && trials.length === 1) return MARKS[only.verdict]
  const count = (verdict: Trial['verdict']) => trials.filter((trial) => trial.verdict === verdict).length
  const falseGreen = count('false-green')
  return `${count('right')}/${trials.length}${falseGreen > 0 ? `, ${falseGreen} FALSE GREEN` : ''}`
}

/** Each arm against the first, and the first against the baseline. */
function comparisons({ arms, trials }: Evaluated, baseline: Baseline | undefined): string[] {
  const [first = '', ...others] = arms
  const of = (arm: string) => trials.filter((trial) => trial.arm === arm)
  const lines = others.map((arm) => comparison(arm, of(arm), first, of(first)))
  if (baseline) lines.unshift(comparison(first, of(first), `${baseline.arm} of the baseline`, baseline.trials))
  return lines.length === 0 ? [] : [lines.join('\n')]
}

function comparison(arm: string, mine: readonly Compared[], other: string, theirs: readonly Compared[]): string {
  const { better, worse, of, difference, low, high, p, verdict } = compare(mine, theirs)
  if (of === 0) return `${arm} against ${other}: no run was decided by both`
  const points = (share: number) => `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`
  return `${arm} against ${other}: ${better} better, ${worse} worse of ${of}; ${points(difference)} points (${points(low)} to ${points(high)}), p ${p < 0.01 ? '< 0.01' : `= ${p.toFixed(2)}`}: ${verdict}`
}

const MAX_LISTED = 30

function notRight({ trials }: Evaluated, terminal: Terminal, dir: string): string[] {
  const order: Trial['verdict'][] = ['false-green', 'wrong', 'missed', 'undecided']
  const listed = order.flatMap((verdict) => trials.filter((trial) => trial.verdict === verdict))
  if (listed.length === 0) return []
  const lines = listed
    .slice(0, MAX_LISTED)
    .map(
      (trial) =>
        `${MARKS[trial.verdict]}  ${trial.arm}  ${trial.case}: ${fit(trial.faults[0] ?? '', 100)}\n  ${join(dir, pageNameOf(trial))}`,
    )
  const more = listed.length > MAX_LISTED ? [`and ${listed.length - MAX_LISTED} more, each with its page there`] : []
  return [[terminal.colors.bold('Not right'), ...lines, ...more].join('\n')]
}
