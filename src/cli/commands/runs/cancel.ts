import { z } from 'zod'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { cancelByFilter, cancelNamed, planCancel, type Cancelled } from '../../../runs/cancel.ts'
import { countOf } from '../../../runs/queries.ts'
import { actorHere } from '../../options/actor.ts'
import { addFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { configOf, examples, notEmpty, openStoreOf, type AddCommand } from '../../options/options.ts'
import { confirm } from '../../terminal/confirm.ts'
import { goesOnText } from './logs.ts'
import { requireIds, runCount, showPlan } from './meant.ts'

const optionsSchema = filterOptions.extend({
  json: z.boolean().default(false),
  yes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  reason: z.string().optional(),
})

export const addCancel: AddCommand = (program, terminal, done) => {
  const command = program
    .command('cancel [run...]')
    .description('cancel runs, those named or those that a filter means: a queued one at once, a running one within two seconds')
  addFilter(command)
    .option('-r, --reason <text>', 'why; kept with the runs', notEmpty)
    .option('--dry-run', 'only count them')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift cancel run_019a…', 'nightshift cancel latest', 'nightshift cancel --job labor-report --status queued'),
    )
    .action(async (given: string[], options: unknown, self) => {
      const { json, yes, dryRun, reason, ...filterGiven } = optionsSchema.parse(options)
      const filter = filterOf(filterGiven)
      const by = actorHere(reason ?? null)
      await using store = await openStoreOf(configOf(self, terminal))
      if (given.length > 0) {
        if (Object.values(filter).some((value) => value !== undefined) || dryRun)
          throw new Failure({ code: 'COMMAND_INVALID', message: 'Runs were named, and a filter or --dry-run goes without names.' })
        const cancelled = await cancelNamed(store.db, await requireIds(store.db, given), by)
        terminal.out(json ? JSON.stringify(cancelled, null, 2) : cancelled.map(said).join('\n'))
        return done(EXIT.ok)
      }
      const plan = await planCancel(store.db, filter)
      const planned = countOf(plan)
      if (!json) terminal.err(showPlan(plan, filter, terminal))
      if (dryRun || planned === 0) {
        terminal.out(json ? JSON.stringify({ count: planned, dryRun: true }) : `${runCount(planned)} would be cancelled.`)
        return done(EXIT.ok)
      }
      if (!(await confirm(terminal, `Cancel ${runCount(planned)}?`, yes))) return done(EXIT.ok)
      const count = await cancelByFilter(store.db, filter, by, terminal.signal)
      if (terminal.signal.aborted) terminal.err(`${runCount(count)} of them were cancelled before the interrupt.`)
      terminal.signal.throwIfAborted()
      terminal.out(
        json
          ? JSON.stringify({ count, dryRun: false })
          : `${runCount(count)} ${count === 1 ? 'is' : 'are'} cancelled; workers end those that run.`,
      )
      done(EXIT.ok)
    })
}

function said({ id, status, mayGoOnUntil }: Cancelled): string {
  const goesOn = mayGoOnUntil === null ? '' : ` But ${goesOnText(mayGoOnUntil)}.`
  if (status === 'running') return `${id} is running; its worker ends it.${goesOn}`
  return status === 'cancelled' ? `${id} is cancelled.${goesOn}` : `${id} was over already: ${status}.`
}
