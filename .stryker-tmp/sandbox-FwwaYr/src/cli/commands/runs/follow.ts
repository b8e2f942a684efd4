// @ts-nocheck
import { isFinal } from '../../../core/run.ts'
import { Failure } from '../../../core/failure.ts'
import type { Db } from '../../../store/postgres/db.ts'
import type { RunView } from '../../../core/view.ts'
import { loadRun } from '../../../store/runs/show.ts'
import { createLines } from '../../terminal/lines.ts'
import { pause, type Terminal } from '../../terminal/terminal.ts'

const LOOK_MS = 250
/** A queue with a free worker hands a run out in milliseconds. */
const NOBODY_MS = 5000

/** Tells what happens in a run until it is over, waits for a person, or the command ends. */
export async function followRun(db: Db, id: string, terminal: Terminal, tell: (line: string) => void): Promise<RunView> {
  const lines = createLines(terminal)
  const told = new Set<string>()
  const once = (key: string, line: () => string) => {
    if (told.has(key)) return
    told.add(key)
    tell(line())
  }
  const began = Date.now()
  for (;;) {
    const run = await loadRun(db, id)
    if (!run) throw new Failure({ code: 'RUN_UNKNOWN', message: `The run ${id} is gone.` })
    for (const attempt of run.attempts) {
      once(`attempt ${attempt.number}`, () => lines.step('attempt', `${attempt.number} on ${attempt.worker}`))
      for (const turn of run.turns.filter((one) => one.attempt === attempt.number)) {
        once(`turn ${turn.number}`, () => lines.turn(turn.number, turn.items, turn.usage))
        for (const call of run.toolCalls.filter(
          (one) => one.turn === turn.number && one.attempt === attempt.number && one.status !== 'sent',
        ))
          once(call.id, () => lines.call(call))
      }
      const { failure } = attempt
      if (failure) once(`failure ${attempt.number}`, () => lines.failure('failed', failure))
    }
    if (isFinal(run.status) || run.status === 'waiting' || terminal.signal.aborted) return run
    if (run.attempts.length === 0 && Date.now() - began > NOBODY_MS)
      once('nobody', () => lines.step('queued', 'no worker has taken it yet; start one with nightshift start'))
    await pause(LOOK_MS, terminal.signal)
  }
}
