import type { Command } from 'commander'
import { z } from 'zod'
import { openAdmin, rotateAccount } from '../../../../accounts/service-accounts.ts'
import { Failure } from '../../../../core/failure.ts'
import { EXIT } from '../../../../core/failure-codes.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../../options/options.ts'
import { expiresOption, HONOURED } from './expires.ts'

const optionsSchema = z.object({ expires: z.number(), json: z.boolean().default(false) })

export const addAccountRotate: AddCommand = (account, terminal, done) => {
  account
    .command('rotate <name>')
    .description('make a new account of the same user, put its token in place of the old one, and delete the old one when no run holds it')
    .addOption(expiresOption())
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift account rotate reports --expires 90d'))
    .action(async (name: string, _: unknown, command: Command) => {
      const { expires: lifeMs, json } = optionsSchema.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const file = config.accounts[name]?.tokenFile
      if (file === undefined)
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: `accounts.${name} has no tokenFile to put a new token into.`,
          cure: 'Give it one in the configuration.',
        })
      await using service = openAdmin(config.admin)
      await using store = await openStoreOf(config)
      const { isOldDeleted, ...rotation } = await rotateAccount(service, store.db, {
        name,
        file,
        lifeMs,
        signal: terminal.signal,
        onSwapped: () => terminal.err(`The new token is in ${file}. Waiting for the runs that hold the old one …`),
      })
      const { id, user, expiresAt, replaced } = rotation
      if (!isOldDeleted) {
        terminal.err(`The old account ${replaced} was left. Delete it later: nightshift account delete ${replaced}`)
        return done(EXIT.cancelled)
      }
      terminal.out(
        json ? JSON.stringify(rotation, null, 2) : `Account ${id} of ${user} until ${expiresAt}; ${replaced} is deleted. ${HONOURED}`,
      )
      done(EXIT.ok)
    })
}
