import { Failure } from '../../../core/failure.ts'
import type { TimelineEvent } from '../../../core/timeline.ts'
import type { RunView } from '../../../core/view.ts'
import { showLine } from '../../../lib/text.ts'
import { showComing } from '../../../lib/show/time.ts'
import { delaysOf } from '../../../schedules/delays.ts'
import { followRuns } from '../../../runs/follow/follow.ts'
import type { Db } from '../../../runs/queries.ts'
import { createLines, type Lines } from '../../terminal/lines.ts'
import { textOf } from './logs.ts'
import type { Terminal } from '../../terminal/terminal.ts'

/** When a run is still queued after this time, the command says so: with a free worker it starts in milliseconds. */
const NOBODY_MS = 5000

/** Prints the events of a run until it is over, waits for a person, or the command ends. Returns the run as it is then. `withFailures`: of its attempts; else its caller tells them. */
export async function followRun(
  db: Db,
  id: string,
  terminal: Terminal,
  tell: (line: string) => void,
  { withFailures = true } = {},
): Promise<RunView> {
  const lines = createLines(terminal)
  const nobodyAt = performance.now() + NOBODY_MS
  let isNobodyTold = false
  let last: RunView | undefined
  for await (const { run, events } of followRuns(db, { runId: id, signal: terminal.signal })) {
    for (const event of events)
      if (withFailures || event.event !== 'attemptEnded') for (const line of linesOf(lines, run, event)) tell(line)
    last = run
    if (run.status === 'waiting') break
    if (isNobodyTold || run.attempts.length > 0 || performance.now() < nobodyAt) continue
    for (const why of await whyQueued(db, run)) tell(lines.step('queued', why))
    isNobodyTold = true
  }
  if (!last) throw new Failure({ code: 'RUN_UNKNOWN', message: `The run ${id} was removed.` })
  return last
}

/** What keeps a run from starting that is queued for longer than a free worker takes. */
async function whyQueued(db: Db, { job, heldBy }: RunView): Promise<string[]> {
  const delays = await delaysOf(db, job)
  if (delays.length > 0) return delays
  return [heldBy === null ? 'no worker has taken it yet; nightshift status says what they do' : `it is held by ${showLine(heldBy)}`]
}

/** When the attempt comes that follows this one, where one does. */
const nextOf = (lines: Lines, { status, nextAttemptAt, attempts }: RunView, number: number): string[] =>
  status === 'queued' && attempts.length === number && nextAttemptAt !== null
    ? [lines.step('again', `at ${showComing(nextAttemptAt)}`)]
    : []

/** An event with what a person who waits wants to see of it; its end is for the command to tell. */
function linesOf(lines: Lines, run: RunView, event: TimelineEvent): string[] {
  switch (event.event) {
    case 'attempt':
      return [lines.step('attempt', `${event.number} on ${event.worker}`)]
    case 'turn':
      return run.turns.filter(({ number }) => number === event.number).map((turn) => lines.turn(turn))
    case 'call':
      return run.toolCalls.filter(({ id }) => id === event.id).map((call) => lines.call(call))
    case 'attemptEnded':
      return event.failure ? [lines.failure('failed', event.failure), ...nextOf(lines, run, event.number)] : []
    case 'modelWait':
      return [lines.step('model', textOf(event))]
    case 'act':
      return [lines.step(event.act, textOf(event))]
    case 'queued':
    case 'waiting':
    case 'finished':
      return []
  }
}
