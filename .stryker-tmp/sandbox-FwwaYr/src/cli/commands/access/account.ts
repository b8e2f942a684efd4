// @ts-nocheck
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { z } from 'zod'
import { openStore } from '../../../app/app.ts'
import type { Config } from '../../../config/load.ts'
import { durationMs } from '../../../lib/duration.ts'
import { EXIT, Failure, messageOf } from '../../../core/failure.ts'
import { createConfigService, type ConfigService } from '../../../pomerium/config-service.ts'
import { createDispatcher } from '../../../pomerium/dispatcher.ts'
import { createTokenSource } from '../../../pomerium/token.ts'
import { accountUse, countRunsHolding } from '../../../store/audit/accounts.ts'
import { listSuspects } from '../../../store/audit/suspects.ts'
import { configOf, examples, notEmpty, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, pause, type Terminal } from '../../terminal/terminal.ts'

const createOptions = z.object({
  user: z.string().min(1),
  expires: z.string(),
  out: z.string().optional(),
  showToken: z.boolean().default(false),
  json: z.boolean().default(false),
})
const rotateOptions = z.object({ expires: z.string(), json: z.boolean().default(false) })
const jsonOption = z.object({ json: z.boolean().default(false) })
const HONOURED = 'Pomerium may honour a deleted account for up to a minute.'
const LOOK_MS = 2000

export const addAccount: AddCommand = (program, terminal, done) => {
  const account = program
    .command('account')
    .description('service accounts of Pomerium; needs admin: in the configuration, which workers do without')
  const expires = () => new Option('--expires <time>', 'how long it lives, such as 90d').argParser(parseLife).default('90d')

  account
    .command('create <name>')
    .description('make a service account; its token goes into a file that only you can read')
    .requiredOption('--user <id>', 'user that policy allows, such as svc-reports', notEmpty)
    .addOption(expires())
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
      const { user, expires: life, out, showToken, json } = createOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const file = out ?? config.accounts[name]?.tokenFile
      if (!showToken && file === undefined)
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: `accounts.${name} has no tokenFile.`,
          cure: 'Say where the token goes with --out, or --show-token.',
        })
      if (!showToken && file !== undefined && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0)
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: `There is a token in ${file} already.`,
          cure: `Replace it with nightshift account rotate ${name}, or name another file with --out.`,
        })
      await using admin = await openAdmin(config)
      const expiresAt = new Date(Date.now() + durationMs(life))
      const made = await admin.service.create({ userId: user, description: `Nightshift ${name}`, expiresAt })
      if (!showToken && file !== undefined) await keepToken(admin.service, made, file)
      const about = { id: made.id, user, expiresAt: expiresAt.toISOString(), ...(showToken ? { token: made.jwt } : { file }) }
      if (json) terminal.out(JSON.stringify(about, null, 2))
      else if (showToken) terminal.out(made.jwt)
      else terminal.out(`Account ${made.id} of ${user} until ${about.expiresAt}; its token is in ${file}.`)
      done(EXIT.ok)
    })

  account
    .command('list')
    .description('the service accounts that Pomerium knows, with when we last used them')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift account list', 'nightshift account list --json | jq -r ".[] | select(.suspect) | .id"'))
    .action(async (_: unknown, command: Command) => {
      const { json } = jsonOption.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using admin = await openAdmin(config)
      await using stack = new AsyncDisposableStack()
      const { db } = await openStore(config, stack)
      const use = await accountUse(db)
      const suspects = new Set((await listSuspects(db)).flatMap((one) => (one.acknowledgedAt === null ? [one.accountId] : [])))
      const names = tokenIds(config)
      const accounts: Listed[] = (await admin.service.list()).map(({ id, userId, description, expiresAt }) => ({
        id, user: userId, name: names.get(id) ?? null, description, expiresAt: expiresAt ?? null, lastUsedAt: use.get(id) ?? null, suspect: suspects.has(id),
      })) // prettier-ignore
      if (json) terminal.out(JSON.stringify(accounts, null, 2))
      else terminal.out(showAccounts(accounts, terminal))
      done(EXIT.ok)
    })

  account
    .command('rotate <name>')
    .description('make a new account of the same user, put its token in place of the old one, and delete the old one when no run holds it')
    .addOption(expires())
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift account rotate reports --expires 90d'))
    .action(async (name: string, _: unknown, command: Command) => {
      const { expires: life, json } = rotateOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      const file = config.accounts[name]?.tokenFile
      if (file === undefined)
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: `accounts.${name} has no tokenFile to put a new token into.`,
          cure: 'Give it one in the configuration.',
        })
      const old = createTokenSource({ account: name, file }).current()
      await using admin = await openAdmin(config)
      await using stack = new AsyncDisposableStack()
      const { db } = await openStore(config, stack)
      const expiresAt = new Date(Date.now() + durationMs(life))
      const made = await admin.service.create({ userId: old.userId, description: `Nightshift ${name}`, expiresAt })
      await keepToken(admin.service, made, file)
      // Workers read the file again within a second; runs under way go on with what they began with.
      terminal.err(`The new token is in ${file}. Waiting for the runs that hold the old one …`)
      const swappedAt = new Date(Date.now() + LOOK_MS)
      await pause(LOOK_MS, terminal.signal)
      while (!terminal.signal.aborted && (await countRunsHolding(db, name, swappedAt)) > 0) await pause(LOOK_MS, terminal.signal)
      if (terminal.signal.aborted) {
        terminal.err(`The old account ${old.accountId} was left. Delete it later: nightshift account delete ${old.accountId}`)
        return done(EXIT.cancelled)
      }
      await admin.service.delete(old.accountId)
      const about = { id: made.id, replaced: old.accountId, user: old.userId, expiresAt: expiresAt.toISOString(), file }
      terminal.out(
        json
          ? JSON.stringify(about, null, 2)
          : `Account ${made.id} of ${old.userId} until ${about.expiresAt}; ${old.accountId} is deleted. ${HONOURED}`,
      )
      done(EXIT.ok)
    })

  account
    .command('delete <id>')
    .description('delete a service account by its id')
    .addHelpText('after', examples('nightshift account delete 9a7f7348-400c-4fcf-80c2-2d25e40f999f'))
    .action(async (id: string, _: unknown, command: Command) => {
      await using admin = await openAdmin(configOf(command, terminal))
      if (!(await admin.service.list()).some((one) => one.id === id))
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: `Pomerium knows no account ${fit(id, 80)}.`,
          cure: 'See nightshift account list.',
        })
      await admin.service.delete(id)
      terminal.out(`${id} is deleted. ${HONOURED}`)
      done(EXIT.ok)
    })
}

async function openAdmin({ admin }: Config): Promise<{ service: ConfigService } & AsyncDisposable> {
  if (!admin)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: 'There is no admin: section.',
      cure: 'Add admin: { url, sharedSecretFile } to the configuration of the machine where accounts are made.',
    })
  let sharedSecret: string
  try {
    sharedSecret = readFileSync(admin.sharedSecretFile, 'utf8')
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `The shared secret cannot be read: ${messageOf(cause)}.`, cause })
  }
  const dispatcher = createDispatcher({ caFile: admin.caFile })
  return { service: createConfigService({ url: admin.url, sharedSecret, dispatcher }), [Symbol.asyncDispose]: () => dispatcher.destroy() }
}

/** Writes the token of a new account. One whose token cannot be kept is of no use to anybody, so it is deleted again. */
async function keepToken(service: ConfigService, { id, jwt }: { id: string; jwt: string }, file: string): Promise<void> {
  try {
    writeToken(file, jwt)
  } catch (cause) {
    await service.delete(id)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The token cannot be written to ${file}: ${messageOf(cause)}. The new account was deleted again.`,
      cure: 'Make the directory, or give yourself the right to write into it.',
      cause,
    })
  }
}

/** In place of what was there, at once, and for its owner alone; a file that was there keeps its mode, so that a worker of another user can go on reading it. */
function writeToken(file: string, jwt: string): void {
  const part = `${file}.${process.pid}.part`
  try {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode
    writeFileSync(part, `${jwt}\n`, { mode: 0o600, flag: 'wx' })
    if (mode !== undefined) chmodSync(part, mode & 0o777)
    renameSync(part, file)
  } finally {
    rmSync(part, { force: true })
  }
}

/** Names of the configuration by the ids of their tokens. */
function tokenIds(config: Config): Map<string, string> {
  const names = new Map<string, string>()
  for (const [account, { token, tokenFile: file }] of Object.entries(config.accounts)) {
    try {
      names.set(createTokenSource({ account, token, file }).current().accountId, account)
    } catch {
      // One that cannot be read has no id to show.
    }
  }
  return names
}

interface Listed {
  id: string
  user: string
  name: string | null
  description: string
  expiresAt: string | null
  lastUsedAt: string | null
  suspect: boolean
}

/** From here on a line has room for all. */
const WIDE = 110

function showAccounts(accounts: readonly Listed[], terminal: Terminal): string {
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

/** A length of time that is one. */
function parseLife(text: string): string {
  try {
    if (durationMs(text) >= 1000) return text
  } catch {
    throw new InvalidArgumentError('Write a length of time such as 12h or 90d.')
  }
  throw new InvalidArgumentError('An account lives a second at least.')
}

const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** When it expires; in days when that is soon. */
function left(expiresAt: string): string {
  const days = Math.floor((Date.parse(expiresAt) - Date.now()) / DAY_MS)
  return days < 0 ? 'expired' : days <= SOON_DAYS ? `in ${days} days` : expiresAt.slice(0, 10)
}
