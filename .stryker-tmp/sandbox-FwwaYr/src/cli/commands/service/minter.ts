// @ts-nocheck
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { pino } from 'pino'
import { EXIT, Failure, messageOf } from '../../../core/failure.ts'
import { loadMinterConfig } from '../../../minter/config.ts'
import { startMinter } from '../../../minter/server.ts'
import { createConfigService } from '../../../pomerium/config-service.ts'
import { createDispatcher } from '../../../pomerium/dispatcher.ts'
import { examples, type AddCommand } from '../../options/options.ts'

export const addMinter: AddCommand = (program, terminal, done) => {
  program
    .command('minter <config>')
    .description('give workers an account for each run, by a policy of its own; the only process that holds Pomerium’s shared secret')
    .addHelpText('after', examples('nightshift minter /etc/nightshift/minter.yaml'))
    .action(async (file: string) => {
      const { url, sharedSecretFile, caFile, socket, workerUid, users, maxLifetime, perMinute, notes } = loadMinterConfig(file)
      const log = pino({ level: 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime })
      for (const note of notes) log.warn({ note }, 'The configuration has a key under its earlier name.')
      let sharedSecret: string
      try {
        sharedSecret = readFileSync(sharedSecretFile, 'utf8')
      } catch (cause) {
        throw new Failure({ code: 'CONFIG_INVALID', message: `The shared secret cannot be read: ${messageOf(cause)}.`, cause })
      }
      const dispatcher = createDispatcher({ caFile })
      const service = createConfigService({ url, sharedSecret, dispatcher })
      const minter = await startMinter({ socket, workerUid, policy: { users, maxLifetimeMs: maxLifetime, perMinute }, service, log })
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
      await minter[Symbol.asyncDispose]()
      await dispatcher.destroy()
      done(EXIT.ok)
    })
}
