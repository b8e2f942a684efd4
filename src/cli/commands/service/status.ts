import { z } from 'zod'
import { loadReadableJobs } from '../../../app/open/jobs.ts'
import { digestOf } from '../../../config/digest.ts'
import { clockFault } from '../../../core/rules/schedules/skew.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { showLine } from '../../../lib/text.ts'
import { showAge } from '../../../lib/show/time.ts'
import type { Finding } from '../../../doctor/check.ts'
import { linesOf } from '../../../doctor/status/lines.ts'
import { takeStatus, type Status, type WholeStatus } from '../../../doctor/status/status.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { showFinding } from '../../terminal/finding.ts'
import { createLines, shortId } from '../../terminal/lines.ts'
import { renderTable, type Layout } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

type Screen = Pick<Terminal, 'colors' | 'columns'>

export const addStatus: AddCommand = (program, terminal, done) => {
  program
    .command('status')
    .description(
      'how things stand, by the store alone: pauses, workers, runs, the last hour, fires, reports, and what somebody must look at',
    )
    .option('--json', 'one JSON value on stdout, as GET /v1/status')
    .addHelpText(
      'after',
      `${examples('nightshift status', 'nightshift status --json | jq ".whole.stands"')}\n\nExit code 1 when something stands that should not.`,
    )
    .action(async (options: unknown, command) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(options)
      const { place, config, fault } = storeOf(command, terminal)
      await using store = await openStoreOf(place)
      const { jobs, issues } = loadReadableJobs(config)
      const status = await takeStatus({
        db: store.db,
        jobs: [...jobs.values()],
        issues,
        accounts: config && new Set(Object.keys(config.accounts)),
        configDigest: config ? digestOf(config) : '',
        configFault: fault?.message,
      })
      terminal.out(json ? JSON.stringify(status, null, 2) : showStatus(status, terminal))
      done(status.well ? EXIT.ok : EXIT.failed)
    })
}

/** One screen: what stands comes last, where a terminal is read. */
export function showStatus(status: Status, screen: Screen): string {
  const { whole } = status
  const tables = [whole ? processTable(whole, status.now, screen) : '', underWayTable(status, screen), fireTable(status, screen)].filter(
    (table) => table !== '',
  )
  const stands = whole?.stands ?? []
  return [
    ...linesOf(status).map((finding) => showAsLine(finding, screen)),
    ...tables.flatMap((table) => ['', table]),
    '',
    ...(stands.length === 0
      ? [screen.colors.green('Nothing stands that should not.')]
      : stands.map((finding) => showFinding(finding, screen))),
  ].join('\n')
}

/** What is a finding of `doctor`, as a line with a label. */
function showAsLine({ check, status, message, cure }: Finding, screen: Screen): string {
  const { colors } = screen
  const text = `${showLine(message)}${cure === undefined ? '' : `. Lift it with: ${cure}`}`
  return createLines(screen).step(check, status === 'warning' ? colors.yellow(text) : text)
}

/** So many of each that are at work, and that ended without a word, stand in the table: a screen holds no more. */
const MOST_AT_WORK = 20
const MOST_SILENT = 5

function processTable({ processes }: WholeStatus, now: string, screen: Screen): string {
  const shown = [
    ...processes.filter(({ alive }) => alive).slice(0, MOST_AT_WORK),
    ...processes.filter(({ alive }) => !alive).slice(0, MOST_SILENT),
  ]
  const since = (at: string) => showAge(Date.parse(now) - Date.parse(at))
  const rows = shown.map(({ name, role, version, runs, slots, startedAt, heardAgoMs, alive, skewMs }) => [
    fit(name, Math.max(screen.columns - 60, 20)),
    fit(role, 12),
    fit(version, 16),
    slots === null ? (runs === 0 ? '' : String(runs)) : `${runs} of ${slots}`,
    since(startedAt),
    alive ? atWork(skewMs ?? 0, heardAgoMs, screen) : screen.colors.yellow(`silent, heard of ${showAge(heardAgoMs)} ago`),
  ])
  const more = processes.length - shown.length
  return renderRows(
    screen,
    ['process', 'role', 'version', 'runs', 'age', ''],
    more === 0 ? rows : [...rows, [`and ${more} more`, '', '', '', '', '']],
    { 0: 12, 2: 8 },
  )
}

const atWork = (skewMs: number, heardAgoMs: number, { colors }: Screen) =>
  clockFault(skewMs)
    ? colors.red(`clock ${showAge(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead'}`)
    : `heard of ${showAge(heardAgoMs)} ago`

/** A screen holds no more. */
const MOST_UNDER_WAY = 10

function underWayTable({ underWay, now }: Status, screen: Screen): string {
  const rows = underWay
    .slice(0, MOST_UNDER_WAY)
    .map(({ id, job, worker, startedAt, attempt }) => [
      shortId(id),
      fit(job, 24),
      fit(worker, 40),
      String(attempt),
      showAge(Date.parse(now) - Date.parse(startedAt)),
    ])
  return renderRows(screen, ['under way', 'job', 'worker', 'attempt', 'for'], rows, { 1: 10, 2: 10 })
}

/** Characters of the reason why a fire was skipped. */
const MAX_SKIPPED = 40

function fireTable({ fires, now }: Status, screen: Screen): string {
  const rows = fires.map(({ job, at, runId, reason }) => [
    fit(job, 40),
    `${showAge(Date.parse(now) - Date.parse(at))} ago`,
    runId ?? fit(`skipped: ${reason ?? ''}`, MAX_SKIPPED),
  ])
  return renderRows(screen, ['last fire of', 'at', 'came to'], rows, { 0: 12 })
}

const renderRows = (
  screen: Screen,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  cut: NonNullable<Layout['cut']>,
): string => (rows.length === 0 ? '' : renderTable(screen, head, rows, { cut }))
