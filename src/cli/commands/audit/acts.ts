import { Option } from 'commander'
import { z } from 'zod'
import type { ActView } from '../../../core/acts.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { listActs } from '../../../runs/queries.ts'
import { refuseUnknownNamesOfActs } from '../../../runs/meant/names.ts'
import { requireId } from '../../../runs/lookup.ts'
import { showLine } from '../../../lib/text.ts'
import { parseTime, timeText } from '../../options/time.ts'
import { configuredNames } from '../../options/known.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const MAX_LIMIT = 10_000
/** Terminal width from which it is shown from where it was done, and the second. */
const WIDE = 110
const optionsSchema = z.object({
  job: z.string().optional(),
  run: z.string().optional(),
  by: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
  json: z.boolean().default(false),
})

export const addActs: AddCommand = (program, terminal, done) => {
  program
    .command('acts')
    .description('who cancelled, retried, paused, resumed or connected: from where, and why; newest first')
    .option('--job <name>', 'only what was done to this job and its runs, and to all jobs')
    .option('--run <run>', 'only what was done to this run')
    .option('--by <name>', 'only what this user or token:NAME did')
    .addOption(new Option('--since <time>', 'only done since: 6h, 7d, 2026-11-24 (UTC), or 2026-11-24T07:00:00Z').argParser(parseTime))
    .addOption(new Option('--until <time>', 'only done before').argParser(parseTime))
    .option('--limit <n>', 'most lines', '20')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift acts',
        'nightshift acts --run latest',
        'nightshift acts --job labor-report --since 12h',
        'nightshift acts --by token:ops --json',
      ),
    )
    .action(async (given: unknown, command) => {
      const { limit, json, run, ...filter } = optionsSchema.parse(given)
      const found = storeOf(command, terminal)
      await using store = await openStoreOf(found.place)
      const meant = { ...filter, run: run === undefined ? undefined : await requireId(store.db, run) }
      const acts = await listActs(store.db, meant, { limit })
      if (acts.length === 0) await refuseUnknownNamesOfActs(store.db, meant, () => configuredNames(found))
      terminal.out(json ? JSON.stringify(acts, null, 2) : showActs(acts, meant, terminal))
      done(EXIT.ok)
    })
}

type Filter = Omit<z.output<typeof optionsSchema>, 'limit' | 'json'>

/** What is said instead of an empty list. */
function noActs({ job, run, by, since, until }: Filter): string {
  const times = [since && ` since ${timeText(since)}`, until && ` before ${timeText(until)}`].filter((one) => one !== undefined)
  if ([job, run, by].every((one) => one === undefined) && times.length === 0) return 'Nobody did anything to runs or jobs yet.'
  const what = run ?? (job === undefined ? 'runs or jobs' : `the job ${showLine(job)} or its runs`)
  return `${by === undefined ? 'Nobody did anything' : `${showLine(by)} did nothing`} to ${what}${times.join('')}.`
}

function showActs(acts: readonly ActView[], filter: Filter, terminal: Terminal): string {
  if (acts.length === 0) return noActs(filter)
  const isWide = terminal.columns >= WIDE
  const rows = acts.map(({ at, act, by, via, origin, jobs, runs, reason }) => [
    `${at.slice(0, isWide ? 19 : 16).replace('T', ' ')}Z`,
    act,
    fit(by, 30),
    ...(isWide ? [fit(origin === null ? via : `${via} ${origin}`, 24)] : []),
    fit(jobs.join(', '), 30),
    runs === 0 ? '' : String(runs),
    fit(reason ?? '', 60),
  ])
  return isWide
    ? renderTable(terminal, ['at', 'act', 'by', 'from', 'jobs', 'runs', 'reason'], rows, {
        right: [5],
        cut: { 2: 14, 3: 12, 4: 14, 6: 20 },
      })
    : renderTable(terminal, ['at', 'act', 'by', 'jobs', 'runs', 'reason'], rows, { right: [4], cut: { 2: 10, 3: 10, 5: 16 } })
}
