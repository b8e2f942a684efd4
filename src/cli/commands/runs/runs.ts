import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { EXIT } from '../../../core/failure-codes.ts'
import { ALL_JOBS } from '../../../core/rules/schedules/pause.ts'
import { showLine } from '../../../lib/text.ts'
import { showAge } from '../../../lib/show/time.ts'
import { groupRuns, listRuns, listWaiting, type RunFilter, type RunLine, type WaitingFor } from '../../../runs/queries.ts'
import { addFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { createLines, shortId } from '../../terminal/lines.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { GROUPS, noRuns, showGroups } from './meant.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const MAX_LIMIT = 10_000
/** Terminal width from which reasons fit. */
const WIDE = 120
const optionsSchema = filterOptions.extend({
  group: z.enum(GROUPS).optional(),
  json: z.boolean().default(false),
  waiting: z.boolean().default(false),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
})

export const addRuns: AddCommand = (program, terminal, done) => {
  addFilter(program.command('runs').description('list runs, newest first'))
    .addOption(
      new Option('--group <by>', 'how many there are of each job, status or code, instead of a list').choices(GROUPS).conflicts('waiting'),
    )
    .option('--waiting', 'what runs wait for, and what a person can do about it')
    .addOption(new Option('--limit <n>', 'most lines').default('20').argParser(parseLimit))
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift runs',
        'nightshift runs --job labor-report --status notGreen --since 7d',
        'nightshift runs --tool labor.query --text "Construction"',
        'nightshift runs --status notGreen --since 24h --group code',
        'nightshift runs --waiting',
        'nightshift runs --json --limit 1 | jq -r ".[0].id"',
      ),
    )
    .action(async (options: unknown, command) => {
      const { json, waiting, limit, group, ...filter } = optionsSchema.parse(options)
      await using store = await openStoreOf(configOf(command, terminal))
      if (waiting) terminal.out(showWaiting(await listWaiting(store.db, filterOf(filter)), terminal, json))
      else if (group) terminal.out(showGroups(await groupRuns(store.db, filterOf(filter)), group, filterOf(filter), terminal, json))
      else terminal.out(showRuns(await listRuns(store.db, filterOf(filter), { limit }), filterOf(filter), terminal, json))
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

function showRuns(runs: readonly RunLine[], filter: RunFilter, terminal: Terminal, json: boolean): string {
  if (json) return JSON.stringify(runs, null, 2)
  if (runs.length === 0) return noRuns(filter)
  const lines = createLines(terminal)
  const narrow = terminal.columns < WIDE
  const rows = runs.map((run) => [
    narrow ? shortId(run.id) : run.id,
    fit(run.job, narrow ? 16 : 40),
    lines.status(run.status),
    why(run),
    ...(narrow ? [] : [trigger(run)]),
    ago(run.createdAt),
    ...(narrow ? [] : [seconds(run)]),
  ])
  const head = narrow ? ['run', 'job', 'status', 'why', 'age'] : ['run', 'job', 'status', 'why', 'by', 'age', 's']
  return renderTable(terminal, head, rows, narrow ? [] : [6])
}

const ago = (at: string) => showAge(Date.now() - Date.parse(at))

function parseLimit(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_LIMIT)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_LIMIT}.`)
  return text
}

const MAX_BECAUSE = 16

/** What holds it, or the first code whole, and how many others there are. */
function why({ reasons, failure, heldBy, ending }: RunLine): string {
  if (heldBy !== null) return heldBy === `pause ${ALL_JOBS}` ? 'held by drain' : `held by ${showLine(heldBy)}`
  if (ending?.kind === 'nothing-new') return 'nothing new'
  const [first = '', ...others] = new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)])
  const more = others.length === 0 ? '' : ` +${others.length}`
  return ending?.because === undefined ? `${first}${more}` : `${first}${more} ${fit(ending.because, MAX_BECAUSE)}`
}

/** Who asked for it, or the time of its fire. */
const trigger = ({ trigger: by, requestedBy }: RunLine) =>
  requestedBy !== null ? fit(requestedBy, 20) : by.kind === 'schedule' ? `fire ${by.fireAt.slice(0, 16)}Z` : by.kind

const seconds = ({ startedAt, finishedAt }: RunLine) =>
  startedAt && finishedAt ? ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1) : ''
