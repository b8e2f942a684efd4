import { z } from 'zod'
import { describeFailure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import type { Act, RunActView } from '../../../core/acts.ts'
import type { TimelineEvent } from '../../../core/timeline.ts'
import { followRuns } from '../../../runs/follow/follow.ts'
import { createLines, shortId, SUMS_UP, type Lines } from '../../terminal/lines.ts'
import { requireId } from '../../../runs/lookup.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { fit } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), follow: z.boolean().default(false) })

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
      await using store = await openStoreOf(storeOf(command, terminal).place)
      const lines = createLines(terminal)
      const signal = follow ? terminal.signal : AbortSignal.abort()
      let isAny = false
      for await (const { run, events } of followRuns(store.db, {
        runId: id === undefined ? undefined : await requireId(store.db, id),
        signal,
      })) {
        isAny = true
        for (const event of events)
          terminal.out(json ? JSON.stringify({ run: run.id, job: run.job, ...event }) : line(lines, id === undefined ? run.id : '', event))
      }
      if (!isAny && !follow) terminal.err('No run is under way. Name a run that is over, or add --follow to wait for the next one.')
      done(EXIT.ok)
    })
}

function line(lines: Lines, run: string, event: TimelineEvent): string {
  const at = `${event.at.slice(11, 19)}Z`
  const what = run === '' ? '' : `${shortId(run)} `
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
      return `turn ${event.number}: the model ${didText(event)}${event.putAside === undefined ? '' : `, after ${event.putAside} results were put aside`}${event.compacted === undefined ? '' : `; its provider compacted what was read ${event.compacted} times`}`
    case 'modelWait':
      return modelWaitText(event)
    case 'call':
      return `${fit(event.server, 40)} ${fit(event.tool, 64)}: ${event.status}${event.durationMs === null ? '' : `, ${Math.round(event.durationMs)} ms`}${event.failure ? ` ${event.failure.code}` : ''}`
    case 'attemptEnded':
      return `attempt ${event.number} ${event.status}${event.failure ? `: ${event.failure.code} ${fit(describeFailure(event.failure), 300)}` : ''}${event.mayGoOnUntil === undefined ? '' : `; ${goesOnText(event.mayGoOnUntil)}`}`
    case 'act':
      return actText(event)
    case 'waiting':
      return `waits for a person${event.failure ? `: ${fit(describeFailure(event.failure), 300)}` : ''}`
    case 'finished':
      return `${event.status}${event.reasons.length > 0 ? `: ${event.reasons.map(({ code }) => code).join(', ')}` : ''}`
  }
}

function didText({ calls, purpose }: Extract<TimelineEvent, { event: 'turn' }>): string {
  if (purpose === 'summary') return SUMS_UP
  return calls.length > 0 ? `calls ${calls.map((name) => fit(name, 64)).join(', ')}` : 'answers'
}

/** Why a model did not answer, how long was waited for it, and who was asked then. */
function modelWaitText({ provider, model, code, message, times, waitMs, next }: Extract<TimelineEvent, { event: 'modelWait' }>): string {
  const waited =
    times === 0 ? '' : `; waited ${times === 1 ? '' : `${times} times, `}${Math.ceil(waitMs / 1000)} s${times === 1 ? '' : ' in all'}`
  return `${fit(`${provider}/${model}`, 64)}: ${code}${waited}${next === undefined ? '' : `; then ${fit(next, 64)}`}: ${fit(message, 200)}`
}

/** That a provider may go on after a stop, and what becomes of its calls. */
export const goesOnText = (until: string): string =>
  `its provider, without background, may go on until ${until}: calls that it makes then are shown on the run`

/** What a person did, in words: every word of theirs on one line. */
export function actText({ act, by, via, origin, reason }: Pick<RunActView, 'act' | 'by' | 'via' | 'origin' | 'reason'>): string {
  const from = origin === null ? via : `${via}, ${fit(origin, 64)}`
  return `${PAST[act]} by ${fit(by, 64)} (${from})${reason === null ? '' : `: ${fit(reason, 200)}`}`
}

const PAST: Record<Act, string> = {
  cancel: 'cancelled',
  retry: 'retried',
  connect: 'connected',
  pause: 'paused',
  resume: 'resumed',
}
