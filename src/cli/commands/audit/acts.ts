import { z } from 'zod'
import type { ActView } from '../../../core/acts.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { listActs } from '../../../runs/queries.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const MAX_LIMIT = 10_000
const optionsSchema = z.object({
  by: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
  json: z.boolean().default(false),
})

export const addActs: AddCommand = (program, terminal, done) => {
  program
    .command('acts')
    .description('who cancelled, retried, paused, resumed or connected: from where, and why; newest first')
    .option('--by <name>', 'only what this user or token:NAME did')
    .option('--limit <n>', 'most lines', '20')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift acts', 'nightshift acts --by token:ops --json'))
    .action(async (given: unknown, command) => {
      const { by, limit, json } = optionsSchema.parse(given)
      await using store = await openStoreOf(configOf(command, terminal))
      const acts = await listActs(store.db, { by }, { limit })
      terminal.out(json ? JSON.stringify(acts, null, 2) : showActs(acts, terminal))
      done(EXIT.ok)
    })
}

function showActs(acts: readonly ActView[], terminal: Terminal): string {
  if (acts.length === 0) return 'Nobody did anything to runs or jobs yet.'
  const rows = acts.map(({ at, act, by, via, origin, jobs, runs, reason }) => [
    `${at.slice(0, 19)}Z`,
    act,
    fit(by, 30),
    fit(origin === null ? via : `${via} ${origin}`, 24),
    fit(jobs.join(', '), 30),
    runs === 0 ? '' : String(runs),
    fit(reason ?? '', 60),
  ])
  return renderTable(terminal, ['at', 'act', 'by', 'from', 'jobs', 'runs', 'reason'], rows, [5])
}
