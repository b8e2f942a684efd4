import type { Command } from 'commander'
import { deleteAccount, openAdmin } from '../../../../accounts/service-accounts.ts'
import { EXIT } from '../../../../core/failure-codes.ts'
import { configOf, examples, type AddCommand } from '../../../options/options.ts'
import { HONOURED } from './expires.ts'

export const addAccountDelete: AddCommand = (account, terminal, done) => {
  account
    .command('delete <id>')
    .description('delete a service account by its id')
    .addHelpText('after', examples('nightshift account delete 9a7f7348-400c-4fcf-80c2-2d25e40f999f'))
    .action(async (id: string, _: unknown, command: Command) => {
      await using service = openAdmin(configOf(command, terminal).admin)
      await deleteAccount(service, id)
      terminal.out(`${id} is deleted. ${HONOURED}`)
      done(EXIT.ok)
    })
}
