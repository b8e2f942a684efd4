import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { openStore } from '../app.ts'
import { EXIT } from '../core/failure.ts'
import { RUN_STATUSES } from '../core/run.ts'
import { listRuns, type RunLine } from '../store/list.ts'
import { createLines } from './lines.ts'
import { configOf, examples, type AddCommand } from './options.ts'
import { renderTable } from './table.ts'
import { fit } from './terminal.ts'

const MAX_LIMIT = 10_000
const optionsSchema = z.object({
  json: z.boolean().default(false),
  job: z.string().optional(),
  status: z.enum(RUN_STATUSES).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT),
})

export const addRuns: AddCommand = (program, terminal, done) => {
  program
    .command('runs')
    .description('list runs, newest first')
    .option('--job <name>', 'only of this job')
    .addOption(new Option('--status <status>', 'only with this status').choices(RUN_STATUSES))
    .addOption(new Option('--limit <n>', 'most lines').default('20').argParser(parseLimit))
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift runs',
        'nightshift runs --job labor-report --status failed',
        'nightshift runs --json --limit 1 | jq -r ".[0].id"',
      ),
    )
    .action(async (options: unknown, command) => {
      const { json, job, status, limit } = optionsSchema.parse(options)
      await using stack = new AsyncDisposableStack()
      const { db } = await openStore(configOf(command, terminal), stack)
      const runs = await listRuns(db, { job, status: status && [status] }, { limit })
      if (json) terminal.out(JSON.stringify(runs, null, 2))
      else if (runs.length === 0) terminal.out('No runs. Start one with nightshift run JOB.')
      else {
        const lines = createLines(terminal)
        const rows = runs.map((run) => [
          run.id,
          run.job,
          lines.status(run.status),
          why(run),
          trigger(run),
          run.createdAt.slice(0, 19).replace('T', ' '),
          seconds(run),
        ])
        terminal.out(renderTable(terminal, ['run', 'job', 'status', 'why', 'by', 'created (UTC)', 's'], rows, [6]))
      }
      done(EXIT.ok)
    })
}

function parseLimit(text: string): string {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_LIMIT)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_LIMIT}.`)
  return text
}

const MAX_WHY = 40
const why = ({ reasons, failure }: RunLine) =>
  fit([...new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)])].join(' '), MAX_WHY)

const trigger = ({ trigger: by, requestedBy }: RunLine) => (requestedBy === null ? by.kind : fit(requestedBy, 20))

const seconds = ({ startedAt, finishedAt }: RunLine) =>
  startedAt && finishedAt ? ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1) : ''
