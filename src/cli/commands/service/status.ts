import { z } from 'zod'
import { loadConfiguredJobs } from '../../../app/open/jobs.ts'
import type { Config } from '../../../config/load.ts'
import { describeFailure, toFailure } from '../../../core/failure.ts'
import { clockFault, describeSkew } from '../../../core/rules/schedules/clock.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { takeStatus, type Status } from '../../../doctor/status.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { showFinding } from '../../terminal/finding.ts'
import { createLines, describePause, showAge } from '../../terminal/lines.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

export const addStatus: AddCommand = (program, terminal, done) => {
  program
    .command('status')
    .description('how things stand, by the store alone: runs, reports, processes, duties, fires, and what somebody must look at')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      `${examples('nightshift status', 'nightshift status --json | jq ".stands"')}\n\nExit code 1 when something stands that should not.`,
    )
    .action(async (options: unknown, command) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(options)
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const status = await takeStatus({ db: store.db, ...jobsOf(config), accounts: new Set(Object.keys(config.accounts)) })
      terminal.out(json ? JSON.stringify(status, null, 2) : showStatus(status, terminal))
      done(status.well ? EXIT.ok : EXIT.failed)
    })
}

/** Job files that cannot be read at all take nothing from what else there is to see. */
function jobsOf(config: Config) {
  try {
    const { jobs, issues } = loadConfiguredJobs(config)
    return { jobs: [...jobs.values()], issues }
  } catch (error) {
    return { jobs: [], issues: [describeFailure(toFailure(error))] }
  }
}

/** One screen: what stands comes last, where a terminal is read. */
export function showStatus(status: Status, terminal: Pick<Terminal, 'colors' | 'columns'>): string {
  const { colors, columns } = terminal
  const lines = createLines(terminal)
  const now = status.now.getTime()
  const ago = (at: Date | null) => (at ? `${showAge(now - at.getTime())} ago` : 'never')
  const { pending, due, oldestS } = status.reports
  const tables = [
    processTable(status, terminal, ago),
    renderRows(terminal, ['duty', 'processes', 'last done', ''], status.duties.map(({ duty, processes, succeededAt, fault }) => [
      fit(duty, 40), String(processes), ago(succeededAt), fault ? colors.red(fault) : '',
    ]), [1]),
    renderRows(terminal, ['last fire of', 'at', 'came to'], status.fires.map(({ job, at, runId, reason }) => [
      fit(job, 40), ago(at), runId ?? fit(`skipped: ${reason ?? ''}`, columns - 45),
    ])),
  ] // prettier-ignore
  return [
    lines.step('runs', orNone(status.runs.map(({ status: state, held, runs, oldestS: s }) => `${runs} ${held ? 'held' : state}, the oldest ${showAge(s * 1000)}`), '; ')),
    lines.step('last day', orNone(status.ended.map(({ status: state, runs }) => `${runs} ${state}`), ', ')),
    lines.step('reports', pending === 0 ? 'none' : `${pending} to send, ${due} due, the oldest ${showAge(oldestS * 1000)}`),
    ...status.pauses.map((pause) => lines.step('paused', colors.yellow(describePause(pause)))),
    ...tables.flatMap((table) => (table === '' ? [] : ['', table])),
    '',
    ...(status.well ? [colors.green('Nothing stands that should not.')] : status.stands.map((finding) => showFinding(finding, terminal))),
  ].join('\n') // prettier-ignore
}

const orNone = (parts: readonly string[], between: string) => (parts.length === 0 ? 'none' : parts.join(between))

/** So many of each that are at work, and that ended without a word, stand in the table: a screen holds no more. */
const MOST_AT_WORK = 20
const MOST_SILENT = 5

function processTable({ processes, now }: Status, terminal: Pick<Terminal, 'colors' | 'columns'>, ago: (at: Date) => string): string {
  const shown = [
    ...processes.filter(({ alive }) => alive).slice(0, MOST_AT_WORK),
    ...processes.filter(({ alive }) => !alive).slice(0, MOST_SILENT),
  ]
  const rows = shown.map(({ name, role, version, startedAt, seenAt, alive, skewMs }) => [
    fit(name, Math.max(terminal.columns - 60, 20)),
    fit(role, 20),
    fit(version, 20),
    showAge(now.getTime() - startedAt.getTime()),
    alive ? atWork(skewMs ?? 0, terminal) : terminal.colors.yellow(`last heard of ${ago(seenAt)}`),
  ])
  const more = processes.length - shown.length
  return renderRows(
    terminal,
    ['process', 'role', 'version', 'age', ''],
    more === 0 ? rows : [...rows, [`and ${more} more`, '', '', '', '']],
  )
}

const atWork = (skewMs: number, { colors }: Pick<Terminal, 'colors'>) =>
  clockFault(skewMs) ? colors.red(`clock ${describeSkew(skewMs)} the store’s`) : 'at work'

function renderRows(
  terminal: Pick<Terminal, 'colors'>,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  return rows.length === 0 ? '' : renderTable(terminal, head, rows, right)
}
