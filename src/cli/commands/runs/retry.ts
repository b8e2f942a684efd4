import { Option } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { countOf } from '../../../runs/queries.ts'
import { planRetry, retryByFilter, retryWithInput } from '../../../runs/retry.ts'
import { actorHere } from '../../options/actor.ts'
import { collectInput } from '../../options/input.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { whoami } from '../../options/whoami.ts'
import { actingOptions, addActing, meantRuns, settledBeforehand } from './acting.ts'
import { runCount } from './plan.ts'

const optionsSchema = actingOptions.extend({
  definition: z.enum(['pinned', 'latest']),
  input: z.record(z.string(), z.unknown()).optional(),
})

export const addRetry: AddCommand = (program, terminal, done) => {
  const command = program
    .command('retry [run...]')
    .description('queue runs again that are not green: those named, or those that a filter means')
  addActing(command)
    .addOption(
      new Option('--definition <which>', 'the job as it is now, or as it was for the run').choices(['latest', 'pinned']).default('latest'),
    )
    .addOption(
      new Option('-i, --input <key=value...>', 'other input: makes a new run, with retryOf')
        .argParser(collectInput)
        .conflicts(['dryRun', 'reason', 'definition']),
    )
    .addHelpText(
      'after',
      examples(
        'nightshift retry run_019a…',
        'nightshift retry --status failed --code UPSTREAM_UNAVAILABLE --since 6h',
        'nightshift retry --job labor-report --definition pinned --yes',
        'nightshift retry run_019a… --input industry=Mining',
      ),
    )
    .action(async (names: string[], given: unknown, self) => {
      const { json, yes, dryRun, reason, definition, input, ...filterGiven } = optionsSchema.parse(given)
      const config = configOf(self, terminal)
      await using app = await createApp({ config, log: quietLog() })
      const meant = await meantRuns({ db: app.db, place: config, config }, names, filterGiven)
      const parts = { db: app.db, producer: app.producer, jobs: app.jobs.jobs() }
      if (input !== undefined) {
        const [id, ...others] = meant.ids ?? []
        if (id === undefined || others.length > 0)
          throw new Failure({ code: 'COMMAND_INVALID', message: '--input goes with one run.', cure: 'Name the run.' })
        const next = await retryWithInput(parts, id, { input, requestedBy: whoami(), trigger: { kind: 'cli' } })
        terminal.out(json ? JSON.stringify({ id: next, retryOf: id }) : `${next} is queued, a new run with retryOf ${id}.`)
        return done(EXIT.ok)
      }
      const plan = await planRetry(app.db, meant.filter)
      const left = (meant.ids?.length ?? 0) - countOf(plan)
      if (left > 0)
        terminal.err(
          `${runCount(left)} of those named ${left === 1 ? 'is' : 'are'} left out: only failed, incomplete, cancelled and waiting ones are retried.`,
        )
      const wording = { would: 'would be queued again', ask: (runs: string) => `Queue ${runs} again?` }
      const settled = await settledBeforehand(terminal, meant, plan, { json, dryRun, yes }, wording)
      if (settled !== undefined) return done(settled)
      const count = await retryByFilter(parts, meant.filter, definition, actorHere(reason ?? null))
      terminal.out(
        json ? JSON.stringify({ count, dryRun: false, groups: plan }) : `${runCount(count)} ${count === 1 ? 'is' : 'are'} queued again.`,
      )
      done(EXIT.ok)
    })
}
