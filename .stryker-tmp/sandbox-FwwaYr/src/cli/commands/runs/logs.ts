// @ts-nocheck
import { z } from 'zod'
import { openStore } from '../../../app/app.ts'
import { EXIT, Failure } from '../../../core/failure.ts'
import { isFinal } from '../../../core/run.ts'
import { timelineOf, type TimelineEvent } from '../../../core/timeline.ts'
import { listRuns } from '../../../store/runs/list.ts'
import { loadRun } from '../../../store/runs/show.ts'
import { createLines, type Lines } from '../../terminal/lines.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { fit, pause } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), follow: z.boolean().default(false) })
const LOOK_MS = 500
const RECENT = 20

export const addLogs: AddCommand = (program, terminal, done) => {
  program
    .command('logs [run]')
    .description('tell the progress of a run, or of all runs that are under way')
    .option('-f, --follow', 'go on as it happens; with a run, until it is over')
    .option('--json', 'one JSON value a line')
    .addHelpText(
      'after',
      examples(
        'nightshift logs run_019a…',
        'nightshift logs --follow',
        'nightshift logs --follow --json | jq -c "select(.event == \\"finished\\")"',
      ),
    )
    .action(async (id: string | undefined, options: unknown, command) => {
      const { json, follow } = optionsSchema.parse(options)
      await using stack = new AsyncDisposableStack()
      const { db } = await openStore(configOf(command, terminal), stack)
      const lines = createLines(terminal)
      const told = new Map<string, number>()
      for (;;) {
        const ids = id === undefined ? await openRuns() : [id]
        for (const one of new Set([...ids, ...(id === undefined ? told.keys() : [])])) {
          const run = await loadRun(db, one)
          if (!run) throw new Failure({ code: 'RUN_UNKNOWN', message: `There is no run ${fit(one, 80)}.` })
          const timeline = timelineOf(run)
          for (const event of timeline.slice(told.get(one) ?? 0))
            terminal.out(json ? JSON.stringify({ run: one, job: run.job, ...event }) : line(lines, id === undefined ? one : '', event))
          told.set(one, timeline.length)
          if (!isFinal(run.status)) continue
          if (id === undefined) told.delete(one)
          else return done(EXIT.ok)
        }
        if (!follow || terminal.signal.aborted) return done(EXIT.ok)
        await pause(LOOK_MS, terminal.signal)
      }

      async function openRuns(): Promise<string[]> {
        const open = await listRuns(db, { status: ['running', 'waiting', 'queued'] }, { limit: RECENT })
        return open.map((run) => run.id).toReversed()
      }
    })
}

function line(lines: Lines, run: string, event: TimelineEvent): string {
  const at = event.at.slice(11, 19)
  const what = run === '' ? '' : `…${run.slice(-8)} `
  return lines.step(at, `${what}${textOf(event)}`)
}

/** An event of the timeline in words. */
export function textOf(event: TimelineEvent): string {
  switch (event.event) {
    case 'queued':
      return 'queued'
    case 'attempt':
      return `attempt ${event.number} on ${event.worker}`
    case 'turn':
      return `turn ${event.number}: the model ${event.calls.length > 0 ? `calls ${event.calls.map((name) => fit(name, 64)).join(', ')}` : 'answers'}`
    case 'call':
      return `${fit(event.server, 40)} ${fit(event.tool, 64)}: ${event.status}${event.durationMs === null ? '' : `, ${Math.round(event.durationMs)} ms`}${event.failure ? ` ${event.failure.code}` : ''}`
    case 'attemptEnded':
      return `attempt ${event.number} ${event.status}${event.failure ? `: ${event.failure.code} ${fit(event.failure.message, 300)}` : ''}`
    case 'waiting':
      return `waits for a person${event.failure ? `: ${fit(event.failure.message, 300)}` : ''}`
    case 'finished':
      return `${event.status}${event.reasons.length > 0 ? `: ${event.reasons.map(({ code }) => code).join(', ')}` : ''}`
  }
}
