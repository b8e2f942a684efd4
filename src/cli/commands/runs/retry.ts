import { Option } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { countOf } from '../../../runs/queries.ts'
import { planRetry, retryByFilter, retryWithInput } from '../../../runs/retry.ts'
import { confirm } from '../../terminal/confirm.ts'
import { actorHere } from '../../options/actor.ts'
import { addFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { collectInput } from '../../options/input.ts'
import { configOf, examples, notEmpty, quietLog, type AddCommand } from '../../options/options.ts'
import { requireIds, runCount, showPlan } from './meant.ts'
import { whoami } from '../../options/whoami.ts'

const optionsSchema = filterOptions.extend({
  json: z.boolean().default(false),
  yes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  reason: z.string().optional(),
  definition: z.enum(['pinned', 'latest']),
  input: z.record(z.string(), z.unknown()).optional(),
})

export const addRetry: AddCommand = (program, terminal, done) => {
  const command = program
    .command('retry [run...]')
    .description('queue runs again that are not green: those named, or those that a filter means')
  addFilter(command)
    .addOption(
      new Option('--definition <which>', 'the job as it is now, or as it was for the run').choices(['latest', 'pinned']).default('latest'),
    )
    .option('-i, --input <key=value...>', 'other input: makes a new run, with retryOf', collectInput)
    .option('-r, --reason <text>', 'why; kept with the runs', notEmpty)
    .option('--dry-run', 'only count them')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift retry run_019a…',
        'nightshift retry --status failed --code UPSTREAM_UNAVAILABLE --since 6h',
        'nightshift retry --job labor-report --definition pinned --yes',
        'nightshift retry run_019a… --input industry=Mining',
      ),
    )
    .action(async (ids: string[], given: unknown, self) => {
      const { json, yes, dryRun, reason, definition, input, ...filterGiven } = optionsSchema.parse(given)
      await using app = await createApp({ config: configOf(self, terminal), log: quietLog() })
      const named = await requireIds(app.db, ids)
      const parts = { db: app.db, producer: app.producer, jobs: app.jobs.jobs() }
      if (input !== undefined) {
        const [id, ...others] = named
        if (id === undefined || others.length > 0)
          throw new Failure({ code: 'COMMAND_INVALID', message: '--input goes with one run.', cure: 'Name the run.' })
        const next = await retryWithInput(parts, id, { input, requestedBy: whoami(), trigger: { kind: 'cli' } })
        terminal.out(json ? JSON.stringify({ id: next, retryOf: id }) : `${next} is queued, a new run with retryOf ${id}.`)
        return done(EXIT.ok)
      }
      const filter = { ...filterOf(filterGiven), ...(named.length > 0 && { ids: named }) }
      const plan = await planRetry(app.db, filter)
      const count = countOf(plan)
      if (named.length === 0 && !json) terminal.err(showPlan(plan, filter, terminal))
      if (dryRun || count === 0) {
        terminal.out(json ? JSON.stringify({ count, dryRun: true }) : `${runCount(count)} would be queued again.`)
        return done(EXIT.ok)
      }
      if (count < named.length)
        terminal.err(
          `${runCount(named.length - count)} of those named ${named.length - count === 1 ? 'is' : 'are'} left out: only failed, incomplete, cancelled and waiting ones are retried.`,
        )
      if (named.length === 0 && !(await confirm(terminal, `Queue ${runCount(count)} again?`, yes))) return done(EXIT.ok)
      const queued = await retryByFilter(parts, filter, definition, actorHere(reason ?? null))
      terminal.out(
        json ? JSON.stringify({ count: queued, dryRun: false }) : `${runCount(queued)} ${queued === 1 ? 'is' : 'are'} queued again.`,
      )
      done(EXIT.ok)
    })
}
