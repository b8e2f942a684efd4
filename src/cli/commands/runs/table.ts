import type { RunLine } from '../../../runs/queries.ts'
import { ALL_JOBS } from '../../../core/rules/schedules/pause.ts'
import { showAge } from '../../../lib/show/time.ts'
import { showLine } from '../../../lib/text.ts'
import { createLines, shortId } from '../../terminal/lines.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

/** Terminal width from which whole ids, who asked, and how long it took fit. */
const WIDE = 120
const BETWEEN = 2
const MIN_JOB = 8
const MAX_BECAUSE = 16
/** Of the word of a model there is so much, or nothing. */
const MIN_BECAUSE = 5

/** Runs as a table, each on one line. What holds a run and its code are never cut: where they need the width, the names of jobs are. */
export function runsTable(runs: readonly RunLine[], terminal: Pick<Terminal, 'colors' | 'columns'>, now = new Date()): string {
  const lines = createLines(terminal)
  const age = (run: RunLine) => showAge(now.getTime() - Date.parse(run.createdAt))
  if (terminal.columns >= WIDE) {
    const rows = runs.map((run) => [
      run.id, fit(run.job, 40), lines.status(run.status), whyOf(run), askedBy(run), age(run), seconds(run),
    ]) // prettier-ignore
    return renderTable(terminal, ['run', 'job', 'status', 'why', 'by', 'age', 's'], rows, [6])
  }
  const fires = runs.map((run) => fireOf(run, now))
  const hasFires = fires.some((fire) => fire !== '')
  const whys = runs.map((run) => why(run, 0))
  const widest = (texts: readonly string[], head: string) => Math.max(head.length, ...texts.map(({ length }) => length))
  const fixed =
    widest(runs.map(({ id }) => shortId(id)), 'run') + widest(runs.map(({ status }) => status), 'status') +
    widest(runs.map(age), 'age') + (hasFires ? widest(fires, 'fire') + BETWEEN : 0) + 4 * BETWEEN // prettier-ignore
  const free = Math.max(terminal.columns - fixed, 0)
  const names = runs.map(({ job }) => job)
  const jobWidth = Math.max(Math.min(widest(names, 'job'), free - widest(whys, 'why')), MIN_JOB)
  const rows = runs.map((run, index) => [
    shortId(run.id),
    fit(run.job, jobWidth),
    lines.status(run.status),
    why(run, free - jobWidth - (whys[index]?.length ?? 0) - 1),
    age(run),
    ...(hasFires ? [fires[index] ?? ''] : []),
  ])
  return renderTable(terminal, ['run', 'job', 'status', 'why', 'age', ...(hasFires ? ['fire'] : [])], rows)
}

/** Why a run stands as it does, in a few words. */
export const whyOf = (run: RunLine): string => why(run, MAX_BECAUSE)

/** What holds it, or the first code whole and how many others there are; and of the model's word for why, what fits. */
function why(run: RunLine, room: number): string {
  const { reasons, failure, heldBy, ending } = run
  if (heldBy !== null) return heldText(run, heldBy)
  if (ending?.kind === 'nothing-new') return 'nothing new'
  const [first = '', ...others] = new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)])
  const said = `${first}${others.length === 0 ? '' : ` +${others.length}`}`
  return ending?.because === undefined || room < MIN_BECAUSE ? said : `${said} ${fit(ending.because, Math.min(room, MAX_BECAUSE))}`
}

/** A limit or a pause of its own job needs no name: that is in the line. */
function heldText({ job }: RunLine, heldBy: string): string {
  if (heldBy === `pause ${ALL_JOBS}`) return 'held by drain'
  if (heldBy === `pause ${job}`) return 'held by a pause'
  return heldBy === `job ${job}` ? 'held by the job’s limit' : `held by ${showLine(heldBy)}`
}

/** The time of the fire that it is of, in UTC: the hour alone on the same day. */
function fireOf({ trigger }: RunLine, now: Date): string {
  if (trigger.kind !== 'schedule') return ''
  const [at, today] = [trigger.fireAt, now.toISOString()]
  const from = at.slice(0, 10) === today.slice(0, 10) ? 11 : at.slice(0, 4) === today.slice(0, 4) ? 5 : 0
  return `${at.slice(from, 16).replace('T', ' ')}Z`
}

/** Who asked for it, or the time of its fire. */
const askedBy = ({ trigger, requestedBy }: RunLine) =>
  requestedBy !== null ? fit(requestedBy, 20) : trigger.kind === 'schedule' ? `fire ${trigger.fireAt.slice(0, 16)}Z` : trigger.kind

const seconds = ({ startedAt, finishedAt }: RunLine) =>
  startedAt && finishedAt ? ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1) : ''
