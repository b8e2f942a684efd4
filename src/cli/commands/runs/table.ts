import type { RunLine } from '../../../runs/queries.ts'
import { ALL_JOBS } from '../../../core/rules/schedules/pause.ts'
import { showAge } from '../../../lib/show/time.ts'
import { showLine } from '../../../lib/text.ts'
import { createLines, shortId } from '../../terminal/lines.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

/** Terminal width from which whole ids and the time of a fire with its day fit. */
const WIDE = 140
const BETWEEN = 2
const MIN_JOB = 8
const MAX_JOB = 40
const MAX_BECAUSE = 16
/** Of the word of a model there is so much, or nothing. */
const MIN_BECAUSE = 5

/**
 * Runs as a table, each on one line; on a screen that is too narrow for that, each in lines of its own. What holds a run and its code are never cut: where they need the width,
 * the names of jobs are.
 */
export function runsTable(runs: readonly RunLine[], terminal: Pick<Terminal, 'colors' | 'columns'>, now = new Date()): string {
  const lines = createLines(terminal)
  const age = (run: RunLine) => showAge(now.getTime() - Date.parse(run.createdAt))
  if (terminal.columns >= WIDE) {
    const rows = runs.map((run) => [
      run.id, fit(run.job, MAX_JOB), lines.status(run.status), whyOf(run), askedBy(run), age(run), took(run),
    ]) // prettier-ignore
    return renderTable(terminal, ['run', 'job', 'status', 'why', 'by', 'age', 'took'], rows, { right: [6], cut: { 1: MIN_JOB } })
  }
  const widest = (head: string, cellOf: (run: RunLine) => string) => Math.max(head.length, ...runs.map((run) => cellOf(run).length))
  const job = (run: RunLine) => fit(run.job, MAX_JOB)
  const code = (run: RunLine) => why(run, 0)
  const fire = (run: RunLine) => fireOf(run, now)
  const needed =
    widest('run', ({ id }) => shortId(id)) + widest('status', ({ status }) => status) + widest('why', code) + widest('age', age) + 4 * BETWEEN // prettier-ignore
  let room = terminal.columns - needed - MIN_JOB
  const takes = (head: string, cellOf: (run: RunLine) => string) => {
    const width = widest(head, cellOf) + BETWEEN
    const isShown = room < 0 || (width <= room && runs.some((run) => cellOf(run) !== ''))
    if (isShown) room -= width
    return isShown
  }
  // What a narrow screen has the room for as well, and a job's whole name before who asked for it.
  const hasFire = takes('fire', fire)
  room -= Math.max(Math.min(widest('job', job) - MIN_JOB, room), 0)
  const hasCaller = takes('by', callerOf)
  const hasTook = takes('took', took)
  const rows = runs.map((run) => [
    shortId(run.id),
    job(run),
    lines.status(run.status),
    why(run, room + widest('why', code) - code(run).length - 1),
    ...(hasCaller ? [callerOf(run)] : []),
    ...(hasTook ? [took(run)] : []),
    age(run),
    ...(hasFire ? [fire(run)] : []),
  ])
  const head = ['run', 'job', 'status', 'why', ...(hasCaller ? ['by'] : []), ...(hasTook ? ['took'] : []), 'age', ...(hasFire ? ['fire'] : [])] // prettier-ignore
  return renderTable(terminal, head, rows, { cut: { 1: MIN_JOB } })
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

/** The time of the fire that it is of, in UTC: the hour alone on the same day, the day alone of another year. */
function fireOf({ trigger }: RunLine, now: Date): string {
  if (trigger.kind !== 'schedule') return ''
  const [at, today] = [trigger.fireAt, now.toISOString()]
  if (at.slice(0, 4) !== today.slice(0, 4)) return at.slice(0, 10)
  return `${at.slice(at.slice(0, 10) === today.slice(0, 10) ? 11 : 5, 16).replace('T', ' ')}Z`
}

const MAX_BY = 20

/** Who asked for it, or the time of its fire. */
const askedBy = (run: RunLine) => (run.trigger.kind === 'schedule' ? `fire ${run.trigger.fireAt.slice(0, 16)}Z` : callerOf(run))

/** Who asked for it; empty for a fire. */
const callerOf = ({ trigger, requestedBy }: RunLine) =>
  requestedBy !== null ? fit(requestedBy, MAX_BY) : trigger.kind === 'schedule' ? '' : trigger.kind

const took = ({ startedAt, finishedAt }: RunLine) =>
  startedAt && finishedAt ? `${((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1)} s` : ''
