import { EXIT } from '../../../core/failure-codes.ts'
import { cancelByFilter, cancelNamed, planCancel, type Cancelled } from '../../../runs/cancel.ts'
import { actorHere } from '../../options/actor.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { actingOptions, addActing, meantRuns, settledBeforehand } from './acting.ts'
import { goesOnText } from './logs.ts'
import { runCount } from './plan.ts'

export const addCancel: AddCommand = (program, terminal, done) => {
  const command = program
    .command('cancel [run...]')
    .description('cancel runs, those named or those that a filter means: a queued one at once, a running one within two seconds')
  addActing(command)
    .addHelpText(
      'after',
      examples(
        'nightshift cancel run_019a…',
        'nightshift cancel latest',
        'nightshift cancel --job labor-report --status queued -r "wrong month"',
      ),
    )
    .action(async (names: string[], options: unknown, self) => {
      const { json, yes, dryRun, reason, ...filterGiven } = actingOptions.parse(options)
      const by = actorHere(reason ?? null)
      const found = storeOf(self, terminal)
      await using store = await openStoreOf(found.place)
      const meant = await meantRuns({ db: store.db, ...found }, names, filterGiven)
      if (meant.ids !== undefined && !dryRun) {
        const cancelled = await cancelNamed(store.db, meant.ids, by)
        terminal.out(json ? JSON.stringify(cancelled, null, 2) : cancelled.map(said).join('\n'))
        return done(EXIT.ok)
      }
      const plan = await planCancel(store.db, meant.filter)
      const wording = { would: 'would be cancelled', ask: (runs: string) => `Cancel ${runs}?` }
      const settled = await settledBeforehand(terminal, meant, plan, { json, dryRun, yes }, wording)
      if (settled !== undefined) return done(settled)
      const count = await cancelByFilter(store.db, meant.filter, by, terminal.signal)
      if (terminal.signal.aborted) terminal.err(`${runCount(count)} of them were cancelled before the interrupt.`)
      terminal.signal.throwIfAborted()
      terminal.out(
        json
          ? JSON.stringify({ count, dryRun: false, groups: plan })
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
