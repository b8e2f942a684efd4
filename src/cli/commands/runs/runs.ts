import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { EXIT } from '../../../core/failure-codes.ts'
import { groupRuns, isEmptyFilter, listRuns, listWaiting, type RunFilter, type RunLine, type WaitingFor } from '../../../runs/queries.ts'
import { addFilter, describeFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { GROUPS, noRuns, showGroups, tellUnknownNames } from './plan.ts'
import { runsTable } from './table.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const MAX_LIMIT = 10_000
const optionsSchema = filterOptions.extend({
  group: z.enum(GROUPS).optional(),
  json: z.boolean().default(false),
  waiting: z.boolean().default(false),
  held: z.literal(true).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
})

export const addRuns: AddCommand = (program, terminal, done) => {
  addFilter(program.command('runs').description('list runs, newest first'))
    .addOption(
      new Option('--group <by>', 'how many there are of each job, status or code, instead of a list').choices(GROUPS).conflicts('waiting'),
    )
    .option('--waiting', 'what runs wait for, and what a person can do about it')
    .addOption(new Option('--held', 'only those that a pause or a limit holds, and which').conflicts('waiting'))
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
        'nightshift runs --held',
        'nightshift runs --json --limit 1 | jq -r ".[0].id"',
      ),
    )
    .action(async (options: unknown, command) => {
      const { json, waiting, held, limit, group, ...filter } = optionsSchema.parse(options)
      const found = storeOf(command, terminal)
      await using store = await openStoreOf(found.place)
      const meant = { ...filterOf(filter), held }
      const known = async <Line>(lines: Line[]) => {
        if (lines.length === 0) await tellUnknownNames({ db: store.db, ...found }, meant, terminal)
        return lines
      }
      if (waiting) terminal.out(showWaiting(await known(await listWaiting(store.db, meant)), meant, terminal, json))
      else if (group) terminal.out(showGroups(await known(await groupRuns(store.db, meant)), group, meant, terminal, json))
      else {
        const runs = await known(await listRuns(store.db, meant, { limit }))
        terminal.out(showRuns(runs, meant, terminal, json))
        // A list that is taken for the whole of it is a mistake in the next command.
        if (runs.length === limit && command.getOptionValueSource('limit') === 'default')
          terminal.err(`These are the newest ${limit}; --limit shows more.`)
      }
      done(EXIT.ok)
    })
}

function showWaiting(waiting: readonly WaitingFor[], filter: RunFilter, terminal: Terminal, json: boolean): string {
  if (json) return JSON.stringify(waiting, null, 2)
  if (waiting.length === 0)
    return isEmptyFilter(filter) ? 'No run waits for a person.' : `No run waits for a person, of ${describeFilter(filter)}.`
  const rows = waiting.map(({ account, server, runs }) => [
    server,
    account,
    String(runs),
    `nightshift connect ${server} --account ${account}`,
  ])
  return `${renderTable(terminal, ['server', 'account', 'runs', 'connect it with'], rows, { right: [2] })}\n\nOnce it is connected, the runs go on by themselves within a minute.`
}

function showRuns(runs: readonly RunLine[], filter: RunFilter, terminal: Terminal, json: boolean): string {
  if (json) return JSON.stringify(runs, null, 2)
  if (runs.length === 0) return noRuns(filter)
  return runsTable(runs, terminal)
}

function parseLimit(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_LIMIT)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_LIMIT}.`)
  return text
}
