import { once } from 'node:events'
import { Option } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { requireKnownJobs } from '../../../app/open/jobs.ts'
import { environment } from '../../../config/environment.ts'
import { requireProviderKeys } from '../../../config/secrets.ts'
import { remarksOn } from '../../../config/surroundings.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { bounded } from '../../../doctor/check.ts'
import { checkQueue } from '../../../doctor/infrastructure.ts'
import { configAgain, configOf, examples, type AddCommand } from '../../options/options.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { createLog } from '../../terminal/log.ts'

const optionsSchema = z.object({ only: z.enum(['worker', 'scheduler', 'api']).optional() })

export const addStart: AddCommand = (program, terminal, done) => {
  program
    .command('start')
    .description(
      'run the scheduler, the worker and the API until SIGTERM or Ctrl-C; logs JSON lines, and lines for people on a terminal; SIGHUP reads the job files and the configuration again',
    )
    .addOption(new Option('--only <part>', 'run one of them').choices(['worker', 'scheduler', 'api']))
    .addHelpText(
      'after',
      examples('nightshift start', 'nightshift start --only worker', 'nightshift -c /etc/nightshift.yaml start --only scheduler'),
    )
    .action(async (options: unknown, command) => {
      const { only } = optionsSchema.parse(options)
      const config = configOf(command, terminal)
      const log = createLog(terminal, config.log.level)
      for (const note of config.notes) log.warn({ note }, 'The configuration has a line that should be changed.')
      for (const { message, cure } of remarksOn(environment, config)) log.warn({ cure }, message)
      const parts = { worker: only === undefined || only === 'worker', scheduler: only === undefined || only === 'scheduler' }
      if (parts.worker) requireProviderKeys(config)
      await using app = await createApp({ config, readConfig: () => configAgain(command, terminal), log })
      if (app.jobs.issues().length > 0) {
        throw new Failure({
          code: 'JOB_INVALID',
          message: `Job files in ${config.jobsDir} have faults:\n  ${app.jobs.issues().join('\n  ')}\n`,
        })
      }
      requireKnownJobs(config, app.jobs.jobs())
      terminal.signal.throwIfAborted()
      endsInOrder(terminal.signal)
      process.on('SIGHUP', () => {
        // The configuration first, then the job files. While it stops there is nothing to read, and nothing that this signal should end.
        if (!terminal.signal.aborted) app.jobs.reload()
      })
      const http = only === undefined || only === 'api' ? app.createApiServer() : app.createHealthServer()
      await http?.start()
      if (parts.worker)
        await Promise.all([
          app.watchdog.start(),
          app.worker.start(),
          app.consent.start(),
          app.outbox.start(),
          app.tokens.start(),
          app.accountSweeper.start(),
        ])
      if (parts.scheduler) await Promise.all([app.scheduler.start(), app.sweeper.start(), app.upkeep.start()])
      app.jobs.start()
      for (const { status, check, message, cure } of await bounded(
        'queue',
        'See what keeps Redis from answering.',
        terminal.signal,
        (ended) => checkQueue(config.redisUrl, ended),
      ))
        if (status !== 'ok') log.warn({ check, cure }, message)
      await app.liveConfig.watch.start()
      const presence = app.createPresence(only ?? 'all')
      await presence.start()
      log.info(
        { jobs: [...app.jobs.jobs().keys()], queue: app.queueKind, only, concurrency: config.worker.concurrency, http: http?.url() },
        'Nightshift is at work.',
      )
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
      log.info({ signal: terminal.signal.reason, drainMs: app.config.worker.drainTimeout }, 'Stopping: runs under way may end.')
      app.jobs.stop()
      http?.drain()
      // Together: what one of them waits for takes no time from the runs that drain.
      const { worker, consent, scheduler, sweeper, accountSweeper, upkeep, liveConfig, tokens } = app
      await Promise.all([worker, consent, scheduler, sweeper, upkeep, liveConfig.watch, tokens, accountSweeper].map((one) => one.stop()))
      await Promise.all([app.outbox.stop(), http?.stop(), presence.stop()])
      log.info('Stopped.')
      done(EXIT.ok)
    })
}
