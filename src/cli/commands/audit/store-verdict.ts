import type { StoreVerdict } from '../../../audit/evidence/verify/verdict.ts'
import { showLine } from '../../../lib/text.ts'
import { showSecond } from '../../../lib/show/time.ts'
import { createLines } from '../../terminal/lines.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const ALL_INTACT = 'every run that a checkpoint has is as it was when that was taken'
const NOTHING_PROVED = 'nothing is proved: no checkpoint was taken yet; take one with nightshift evidence checkpoint'

/** What `evidence verify --store` found, for people: what is signed, what is not and what to do about that, what was accepted, what is wrong. */
export function showStore(verdict: StoreVerdict, terminal: Pick<Terminal, 'colors' | 'columns'>): string {
  const { checkpoints, records, gaps, faults } = verdict
  const { colors, columns } = terminal
  const lines = createLines(terminal)
  return [
    lines.step('store', counted(checkpoints, 'checkpoint')),
    lines.step('runs', aboutRuns(verdict)),
    lines.step('log', aboutLog(verdict)),
    lines.step('rows', `${records === 0 ? 'none' : records} of acts, alarms, fires, suspects and removals`),
    ...aboutUncovered(verdict).map((text) => lines.step('uncovered', verdict.unsigned > 0 ? colors.yellow(text) : text)),
    ...gaps.map((gap) => lines.step('gap', colors.yellow(fit(gap, columns - 12)))),
    ...faults.map((fault) => lines.step('fault', colors.red(fit(fault, columns - 12)))),
    ...(faults.length > 0 ? [] : [lines.step('verdict', checkpoints === 0 ? NOTHING_PROVED : colors.green(ALL_INTACT))]),
  ].join('\n')
}

const counted = (n: number, what: string) => `${n === 0 ? 'no' : n} ${what}${n === 1 ? '' : 's'}`

/** Such as `12 signed: 10 intact, 1 removed by retention, 1 with a fault`. */
function aboutRuns({ runs, intact, pruned }: StoreVerdict): string {
  const parts = [
    [intact, 'intact'],
    [pruned, 'removed by retention'],
    [runs - intact - pruned, 'with a fault'],
  ] as const
  if (runs === 0) return 'none signed'
  return `${runs} signed: ${parts
    .filter(([n]) => n > 0)
    .map(([n, what]) => `${n} ${what}`)
    .join(', ')}`
}

function aboutLog({ lines, linesGone }: StoreVerdict): string {
  if (lines === 0) return 'no line signed'
  const gone = linesGone === 0 ? '' : linesGone === 1 ? '; the oldest is gone' : `; the ${linesGone} oldest are gone`
  return `${counted(lines, 'line')} signed${gone}`
}

/** Which ended runs are in no checkpoint, and what to do. */
function aboutUncovered({ uncovered: { runs, overdue, oldest, newest } }: StoreVerdict): string[] {
  if (runs === 0) return []
  const ended = (run: typeof oldest) =>
    run === null
      ? ''
      : ` ${showLine(run.id)}, which ended ${run.finishedAt === null ? 'at a time that is not known' : `at ${showSecond(run.finishedAt)}`}`
  const which =
    runs === 1
      ? `one run that ended is in no checkpoint:${ended(oldest)}`
      : `${runs} runs that ended are in no checkpoint: the oldest is${ended(oldest)}, the newest${ended(newest)}`
  const late =
    overdue === 0
      ? 'The next checkpoint takes what ended five minutes before it: a scheduler takes one each day, nightshift evidence checkpoint takes one now.'
      : `${overdue === runs ? (runs === 1 ? 'It' : 'All of them') : overdue} ended two days ago or more, so that none was taken meanwhile: see the duty checkpoint in nightshift doctor, and take one now with nightshift evidence checkpoint. Nothing proves what they were until then.`
  return [which, late]
}
