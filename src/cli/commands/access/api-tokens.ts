import { z } from 'zod'
import { EXIT } from '../../../core/failure-codes.ts'
import { listApiTokens, type ApiTokenLine } from '../../../accounts/api-tokens.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

export const addApiTokens: AddCommand = (program, terminal, done) => {
  program
    .command('api-tokens')
    .description('the tokens of the API that the configuration knows, until when they are good and when they were used last')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift api-tokens', 'nightshift api-tokens --json | jq ".[] | select(.expired).name"'))
    .action(async (options: unknown, command) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(options)
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const tokens = await listApiTokens(store.db, config.api?.tokens ?? {})
      terminal.out(json ? JSON.stringify(tokens, null, 2) : showTokens(tokens, terminal))
      done(EXIT.ok)
    })
}

function showTokens(tokens: readonly ApiTokenLine[], terminal: Terminal): string {
  if (tokens.length === 0) return 'The configuration knows no tokens of the API. Make one with nightshift api-token.'
  const rows = tokens.map(({ name, role, jobs, expires, expired, lastUsedAt }) => [
    fit(name, 24),
    role,
    fit(jobs?.join(', ') ?? 'all', 100),
    expires === null ? 'never' : expired ? terminal.colors.red('expired') : minute(expires),
    lastUsedAt === null ? 'never' : minute(lastUsedAt),
  ])
  return renderTable(terminal, ['token', 'role', 'jobs', 'expires (UTC)', 'last used (UTC)'], rows, { cut: { 2: 12 } })
}

const minute = (at: string) => at.slice(0, 16).replace('T', ' ')
