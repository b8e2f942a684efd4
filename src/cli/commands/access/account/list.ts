import type { Command } from 'commander'
import { z } from 'zod'
import { listAccounts, openAdmin, type AccountLine } from '../../../../accounts/service-accounts.ts'
import { EXIT } from '../../../../core/failure-codes.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../../options/options.ts'
import { renderTable } from '../../../terminal/table.ts'
import { fit, type Terminal } from '../../../terminal/terminal.ts'

export const addAccountList: AddCommand = (account, terminal, done) => {
  account
    .command('list')
    .description('the service accounts that Pomerium knows, with when we last used them')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift account list', 'nightshift account list --json | jq -r ".[] | select(.suspect) | .id"'))
    .action(async (_: unknown, command: Command) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using service = openAdmin(config.admin)
      await using store = await openStoreOf(config)
      const accounts = await listAccounts(service, store.db, config.accounts)
      terminal.out(json ? JSON.stringify(accounts, null, 2) : showAccounts(accounts, terminal))
      done(EXIT.ok)
    })
}

/** Terminal width from which all columns fit. */
const WIDE = 110

function showAccounts(accounts: readonly AccountLine[], terminal: Terminal): string {
  if (accounts.length === 0) return 'Pomerium knows no service accounts. Make one with nightshift account create.'
  const narrow = terminal.columns < WIDE
  const rows = accounts.map(({ id, user, name, expiresAt, lastUsedAt, suspect }) => [
    id,
    ...(narrow ? [fit(name ?? user, 13)] : [fit(user, 24), fit(name ?? '', 24)]),
    expiresAt === null ? 'never' : left(expiresAt),
    lastUsedAt?.slice(0, narrow ? 10 : 16).replace('T', ' ') ?? 'never',
    suspect ? terminal.colors.red(narrow ? '!' : 'suspect') : '',
  ])
  const head = narrow ? ['id', 'as or user', 'expires', 'last used', ''] : ['id', 'user', 'as', 'expires', 'last used (UTC)', '']
  const table = renderTable(terminal, head, rows)
  return accounts.some(({ suspect }) => suspect)
    ? `${table}\n\nSuspect: no run explains what they did. See nightshift audit report.`
    : table
}

const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** When it expires; in days when that is soon. */
function left(expiresAt: string): string {
  const days = Math.floor((Date.parse(expiresAt) - Date.now()) / DAY_MS)
  return days < 0 ? 'expired' : days <= SOON_DAYS ? `in ${days} days` : expiresAt.slice(0, 10)
}
