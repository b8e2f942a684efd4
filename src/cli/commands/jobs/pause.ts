import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { listJobNames } from '../../../app/open/jobs.ts'
import { Failure } from '../../../core/failure.ts'
import { aboutPause, ALL_JOBS, describePause, type Pause } from '../../../core/rules/schedules/pause.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { pauseJob, requirePausable, resumeJob, waitUntilIdle } from '../../../schedules/pause.ts'
import { examples, notEmpty, openStoreOf, quietLog, storeOf, type AddCommand } from '../../options/options.ts'
import { actorHere } from '../../options/actor.ts'

const pauseOptions = z.object({ reason: z.string().min(1) })

export const addPause: AddCommand = (program, terminal, done) => {
  const tellBefore = (before: Pause | undefined) => {
    if (before) terminal.err(`This takes the place of an earlier pause: ${aboutPause(before)}.`)
  }
  program
    .command('pause <job>')
    .description('pause a job: its schedule does not fire, and no queued run of it starts; runs under way go on')
    .requiredOption('-r, --reason <text>', 'why; shown wherever the job is, and kept with each fire that is skipped', notEmpty)
    .addHelpText('after', examples('nightshift pause labor-report --reason "the data are being moved"'))
    .action(async (job: string, options: unknown, command) => {
      const { reason } = pauseOptions.parse(options)
      const { place } = storeOf(command, terminal)
      await using store = await openStoreOf(place)
      await requirePausable(store.db, job, listJobNames(place))
      tellBefore(await pauseJob(store.db, job, actorHere(reason)))
      terminal.out(`${job} is paused. Lift it with: nightshift resume ${job}`)
      done(EXIT.ok)
    })
  program
    .command('drain')
    .description('pause everything: no run starts and no schedule fires until nightshift resume --all; runs under way go on')
    .requiredOption('-r, --reason <text>', 'why', notEmpty)
    .option('--wait', 'until no run is under way any more')
    .addHelpText('after', examples('nightshift drain --reason "upgrade of Postgres" --wait', 'nightshift resume --all'))
    .action(async (options: unknown, command) => {
      const { reason, wait } = pauseOptions.extend({ wait: z.boolean().default(false) }).parse(options)
      await using store = await openStoreOf(storeOf(command, terminal).place)
      tellBefore(await pauseJob(store.db, ALL_JOBS, actorHere(reason)))
      if (!wait) terminal.out('Everything is paused. Runs under way go on; see them with: nightshift runs --status running')
      else {
        const tell = (running: number) => {
          if (running > 0) terminal.err(`Everything is paused; ${running} under way. Waiting …`)
        }
        await waitUntilIdle(store.db, tell, terminal.signal)
        terminal.out('Everything is paused, and no run is under way.')
      }
      done(EXIT.ok)
    })
  program
    .command('resume [job]')
    .description('lift the pause of a job, or of everything; runs that it held start')
    .option('--all', 'the pause of everything (nightshift drain)')
    .option('-r, --reason <text>', 'why; kept with the act', notEmpty)
    .addHelpText('after', examples('nightshift resume labor-report', 'nightshift resume --all'))
    .action(async (name: string | undefined, options: unknown, command) => {
      const { all, reason } = z.object({ all: z.boolean().default(false), reason: z.string().optional() }).parse(options)
      if ((name === undefined) === !all) throw new Failure({ code: 'COMMAND_INVALID', message: 'Name a job, or write --all.' })
      const { place, config } = storeOf(command, terminal)
      await using opened = config ? await createApp({ config, log: quietLog() }) : await openStoreOf(place)
      const { isLifted, still } = await resumeJob(opened, name ?? ALL_JOBS, actorHere(reason ?? null))
      terminal.out(isLifted ? `${name ?? 'Everything'} goes on.` : `${name ?? 'Everything'} was not paused.`)
      for (const pause of still) terminal.err(`Still: ${describePause(pause)}`)
      done(EXIT.ok)
    })
}
