import type { Command } from 'commander'
import { z } from 'zod'
import { createAccount, openAdmin } from '../../../../accounts/service-accounts.ts'
import { Failure } from '../../../../core/failure.ts'
import { EXIT } from '../../../../core/failure-codes.ts'
import { configOf, examples, notEmpty, type AddCommand } from '../../../options/options.ts'
import { expiresOption } from './expires.ts'

const optionsSchema = z.object({
  user: z.string().min(1),
  expires: z.number(),
  out: z.string().optional(),
  showToken: z.boolean().default(false),
  json: z.boolean().default(false),
})

export const addAccountCreate: AddCommand = (account, terminal, done) => {
  account
    .command('create <name>')
    .description('make a service account; its token goes into a file that only you can read')
    .requiredOption('--user <id>', 'user that policy allows, such as svc-reports', notEmpty)
    .addOption(expiresOption())
    .option('-o, --out <file>', 'token file; that of accounts.<name> in the configuration when not given')
    .option('--show-token', 'print the token instead')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift account create reports --user svc-reports --expires 90d',
        'nightshift account create audit --user svc-audit --out audit.jwt',
      ),
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const { user, expires: lifeMs, out, showToken, json } = optionsSchema.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const file = showToken ? undefined : (out ?? config.accounts[name]?.tokenFile)
      if (!showToken && file === undefined)
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: `accounts.${name} has no tokenFile.`,
          cure: 'Say where the token goes with --out, or --show-token.',
        })
      await using service = openAdmin(config.admin)
      const { id, jwt, expiresAt } = await createAccount(service, { name, user, lifeMs }, file)
      if (json) terminal.out(JSON.stringify({ id, user, expiresAt, ...(showToken ? { token: jwt } : { file }) }, null, 2))
      else if (showToken) terminal.out(jwt)
      else terminal.out(`Account ${id} of ${user} until ${expiresAt}; its token is in ${file}.`)
      done(EXIT.ok)
    })
}
