import { once } from 'node:events'
import { Option } from 'commander'
import { pino } from 'pino'
import { z } from 'zod'
import { createApp } from '../app.ts'
import { EXIT, Failure } from '../core/failure.ts'
import { configOf, examples, type AddCommand } from './options.ts'

const optionsSchema = z.object({ only: z.enum(['worker', 'scheduler']).optional() })

export const addStart: AddCommand = (program, terminal, done) => {
  program
    .command('start')
    .description('run the scheduler and the worker until SIGTERM or Ctrl-C; logs JSON lines')
    .addOption(new Option('--only <part>', 'run one of them').choices(['worker', 'scheduler']))
    .addHelpText(
      'after',
      examples('nightshift start', 'nightshift start --only worker', 'nightshift -c /etc/nightshift.yaml start --only scheduler'),
    )
    .action(async (options: unknown, command) => {
      const { only } = optionsSchema.parse(options)
      const config = configOf(command, terminal)
      const log = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
      await using app = await createApp({ config, log })
      if (app.jobs.issues().length > 0) {
        throw new Failure({
          code: 'JOB_INVALID',
          message: `Job files in ${config.jobsDir} have faults:\n  ${app.jobs.issues().join('\n  ')}\n`,
        })
      }
      terminal.signal.throwIfAborted()
      if (only !== 'scheduler') await Promise.all([app.worker.start(), app.connections.start(), app.outbox.start()])
      if (only !== 'worker') await app.scheduler.start()
      log.info(
        { jobs: [...app.jobs.jobs().keys()], queue: app.queueKind, only, concurrency: config.worker.concurrency },
        'Nightshift is at work.',
      )
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
      log.info({ signal: terminal.signal.reason, drainMs: config.worker.drain }, 'Stopping: runs under way may end.')
      await app.scheduler.stop()
      await Promise.all([app.worker.stop(), app.connections.stop()])
      await app.outbox.stop()
      log.info('Stopped.')
      done(EXIT.ok)
    })
}
