import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { EXIT } from '../../../core/failure.ts'
import { listRuns, listWaiting, type RunLine, type WaitingFor } from '../../../runs/queries.ts'
import { addFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const MAX_LIMIT = 10_000
/** Terminal width from which reasons fit. */
const WIDE = 120
const optionsSchema = filterOptions.extend({
  json: z.boolean().default(false),
  waiting: z.boolean().default(false),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
})

export const addRuns: AddCommand = (program, terminal, done) => {
  addFilter(program.command('runs').description('list runs, newest first'))
    .option('--waiting', 'what runs wait for, and what a person can do about it')
    .addOption(new Option('--limit <n>', 'most lines').default('20').argParser(parseLimit))
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift runs',
        'nightshift runs --job labor-report --status failed --since 7d',
        'nightshift runs --tool labor.query --text "Construction"',
        'nightshift runs --waiting',
        'nightshift runs --json --limit 1 | jq -r ".[0].id"',
      ),
    )
    .action(async (options: unknown, command) => {
      const { json, waiting, limit, ...filter } = optionsSchema.parse(options)
      await using store = await openStoreOf(configOf(command, terminal))
      if (waiting) terminal.out(showWaiting(await listWaiting(store.db, filterOf(filter)), terminal, json))
      else terminal.out(showRuns(await listRuns(store.db, filterOf(filter), { limit }), terminal, json))
      done(EXIT.ok)
    })
}

function showWaiting(waiting: readonly WaitingFor[], terminal: Terminal, json: boolean): string {
  if (json) return JSON.stringify(waiting, null, 2)
  if (waiting.length === 0) return 'No run waits for a person.'
  const rows = waiting.map(({ account, server, runs }) => [
    server,
    account,
    String(runs),
    `nightshift connect ${server} --account ${account}`,
  ])
  return `${renderTable(terminal, ['server', 'account', 'runs', 'connect it with'], rows, [2])}\n\nOnce it is connected, the runs go on by themselves within a minute.`
}

function showRuns(runs: readonly RunLine[], terminal: Terminal, json: boolean): string {
  if (json) return JSON.stringify(runs, null, 2)
  if (runs.length === 0) return 'No runs. Start one with nightshift run JOB.'
  const lines = createLines(terminal)
  const narrow = terminal.columns < WIDE
  const rows = runs.map((run) => [
    run.id,
    fit(run.job, narrow ? 16 : 40),
    lines.status(run.status),
    ...(narrow ? [] : [why(run), trigger(run)]),
    ago(run.createdAt),
    ...(narrow ? [] : [seconds(run)]),
  ])
  const head = narrow ? ['run', 'job', 'status', 'age'] : ['run', 'job', 'status', 'why', 'by', 'age', 's']
  return renderTable(terminal, head, rows, narrow ? [] : [6])
}

/** How long ago, in the largest unit that is not zero. */
function ago(at: string): string {
  const s = Math.max((Date.now() - Date.parse(at)) / 1000, 0)
  if (s < 90) return `${Math.round(s)} s`
  if (s < 5400) return `${Math.round(s / 60)} min`
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`
}

function parseLimit(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_LIMIT)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_LIMIT}.`)
  return text
}

const MAX_WHY = 40
const why = ({ reasons, failure, heldBy }: RunLine) =>
  fit(
    [
      ...(heldBy === null ? [] : [`held by ${heldBy}`]),
      ...new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)]),
    ].join(' '),
    MAX_WHY,
  )

const trigger = ({ trigger: by, requestedBy }: RunLine) => (requestedBy === null ? by.kind : fit(requestedBy, 20))

const seconds = ({ startedAt, finishedAt }: RunLine) =>
  startedAt && finishedAt ? ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1) : ''
