// What an evaluation says on stderr before its first run and while it runs.
import { pino, type Logger } from 'pino'
import { z } from 'zod'
import type { Estimate } from '../../../eval/estimate.ts'
import type { Waiting } from '../../../eval/evaluate.ts'
import type { Trial } from '../../../eval/score.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { renderTable } from '../../terminal/table.ts'

const count = (n: number, one: string) => `${n} ${n === 1 ? one : `${one}s`}`

/** How many runs, by which arms, what they may cost, and what ends it. */
export function estimateText(estimate: Estimate, terminal: Pick<Terminal, 'colors'> & Partial<Pick<Terminal, 'columns'>>): string {
  const { job, arms, times, runs, unpriced, writes, deadline } = estimate
  return [
    `${job}: ${count(runs, 'run')}${times === 1 ? '' : `, each case ${times} times`}`,
    renderTable(
      terminal,
      ['arm', 'cases', 'model'],
      arms.map(({ name, cases, models }) => [fit(name, 40), String(cases), fit(models.join(', '), 60)]),
      { right: [1], cut: { 0: 12, 2: 16 } },
    ),
    ...costText(estimate),
    ...(unpriced.length === 0 ? [] : [`Without a price under prices:, so that their cost is not known: ${unpriced.join(', ')}.`]),
    ...(writes.length === 0
      ? []
      : [`Calls that may change something are really made in ${writes.join(', ')}; in other cases they are refused.`]),
    `An attempt ends after ${deadline} at the latest (limits.deadline). Ctrl-C ends it all, and what is done by then is reported.`,
    '',
  ].join('\n')
}

function costText({ maxUsd, limitsUsd, unlimited }: Estimate): string[] {
  if (maxUsd !== undefined && maxUsd <= (limitsUsd ?? Infinity))
    return [`It stops at ${maxUsd.toFixed(2)} USD (--max-cost); the answers under way then can be over it.`]
  if (limitsUsd === 0) return []
  if (limitsUsd !== undefined) return [`It costs at most ${limitsUsd.toFixed(2)} USD: limits.costUsd of all runs together.`]
  return [`Its cost has no limit: set --max-cost, or limits.costUsd in the job, for ${unlimited.join(', ')}.`]
}

/** A run that is over, with what is wrong about it. */
export const trialLine = ({ verdict, arm, case: name, repeat, faults: [fault] }: Trial, done: number, of: number): string =>
  `${String(done).padStart(String(of).length)}/${of} ${verdict.padEnd(11)} ${fit(arm, 40)} ${name} ${repeat}${fault === undefined ? '' : `: ${fit(fault, 200)}`}`

/** A run that is tried again later. */
export const waitingLine = ({ arm, case: name, repeat, waitMs, failure }: Waiting): string =>
  `waits ${Math.ceil(waitMs / 1000)} s: ${fit(arm, 40)} ${name} ${repeat}: ${failure.code}: ${fit(failure.message, 200)}`

/** Pino's number for it. */
const ERROR = 50
const lineSchema = z.looseObject({ level: z.number(), notes: z.array(z.string()).optional() })

/** The log of the runs: what they may use and is not there is said once, a fault of Nightshift's own as it is. What else goes wrong in a run is said with its end. */
export function runLog(terminal: Pick<Terminal, 'err'>): Logger {
  const said = new Set<string>()
  const write = (line: string) => {
    const { level, notes = [] } = lineSchema.parse(JSON.parse(line))
    if (level >= ERROR) terminal.err(line.trimEnd())
    for (const note of notes.filter((one) => !said.has(one))) {
      said.add(note)
      terminal.err(`note: ${fit(note, 300)}`)
    }
  }
  return pino({ level: 'warn', base: null }, { write })
}
