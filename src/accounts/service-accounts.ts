import { Failure, messageOf } from '../core/failure.ts'
import { pause } from '../lib/time/pause.ts'
import { openConfigService, type ConfigService, type ConfigServiceOptions } from '../pomerium/config-service.ts'
import { createTokenSource } from '../pomerium/token.ts'
import { accountUse, countRunsHolding } from '../store/audit/accounts.ts'
import { listSuspects } from '../store/audit/suspects.ts'
import type { Db } from '../store/postgres/db.ts'
import { requireFreeFile, writeToken } from './token-file.ts'

/** Opens Pomerium's service accounts as `admin:` of the configuration says. `CONFIG_INVALID` without that section, or without a usable secret. */
export function openAdmin(admin: ConfigServiceOptions | undefined): ConfigService & AsyncDisposable {
  if (!admin)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: 'There is no admin: section.',
      cure: 'Add admin: { url, sharedSecretFile } to the configuration of the machine where accounts are made.',
    })
  return openConfigService(admin)
}

export interface NewAccount {
  /** The account's name in the configuration. It is put into the description that Pomerium keeps. */
  name: string
  /** The user that the account acts as: what policy allows. */
  user: string
  lifeMs: number
}

export interface CreatedAccount {
  id: string
  jwt: string
  expiresAt: string
}

/** Makes a service account. With a `file` its token is put there; `COMMAND_INVALID` when there is one in it. */
export async function createAccount(service: ConfigService, account: NewAccount, file: string | undefined): Promise<CreatedAccount> {
  if (file !== undefined) requireFreeFile(file, account.name)
  const made = await create(service, account)
  if (file !== undefined) await keepToken(service, made, file)
  return made
}

async function create(service: ConfigService, { name, user, lifeMs }: NewAccount): Promise<CreatedAccount> {
  const expiresAt = new Date(Date.now() + lifeMs)
  const { id, jwt } = await service.create({ userId: user, description: `Nightshift ${name}`, expiresAt })
  return { id, jwt, expiresAt: expiresAt.toISOString() }
}

/** Writes the token of a new account. An account whose token cannot be written is deleted again. */
async function keepToken(service: ConfigService, { id, jwt }: CreatedAccount, file: string): Promise<void> {
  try {
    writeToken(file, jwt)
  } catch (cause) {
    const left = await service.delete(id).then(
      () => 'The new account was deleted again.',
      (error: unknown) => `The new account ${id} could not be deleted again: ${messageOf(error)}.`,
    )
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The token cannot be written to ${file}: ${messageOf(cause)}. ${left}`,
      cure: 'Make the directory, or give yourself the right to write into it; see nightshift account list for what is left.',
      cause,
    })
  }
}

export interface RotateOptions {
  name: string
  /** Where workers read the account's token. */
  file: string
  lifeMs: number
  /** Ends the wait for runs; the old account then stays. */
  signal: AbortSignal
  /** Called once the new token is in the file. */
  onSwapped: () => void
}

export interface Rotation {
  id: string
  replaced: string
  user: string
  expiresAt: string
  file: string
  /** False: the wait was ended, and the old account still works. */
  isOldDeleted: boolean
}

const LOOK_MS = 2000

/**
 * Makes a new account of the same user, puts its token in place of the old one, waits until no run holds the old one, and deletes that account. Workers read
 * the file again within a second; runs under way go on with the token that they began with.
 */
export async function rotateAccount(service: ConfigService, db: Db, options: RotateOptions): Promise<Rotation> {
  const { name, file, lifeMs, signal, onSwapped } = options
  const old = createTokenSource({ account: name, file }).current()
  const made = await create(service, { name, user: old.userId, lifeMs })
  await keepToken(service, made, file)
  onSwapped()
  // A run that begins while the file is swapped may still read the old one.
  const swappedAt = new Date(Date.now() + LOOK_MS)
  await pause(LOOK_MS, signal)
  while (!signal.aborted && (await countRunsHolding(db, name, swappedAt)) > 0) await pause(LOOK_MS, signal)
  const isOldDeleted = !signal.aborted
  if (isOldDeleted) await deleteReplaced(service, old.accountId, file)
  return { id: made.id, replaced: old.accountId, user: old.userId, expiresAt: made.expiresAt, file, isOldDeleted }
}

/** Deletes the account whose token was replaced. A failure says that the new token is in force, and which account is left. */
async function deleteReplaced(service: ConfigService, id: string, file: string): Promise<void> {
  try {
    await service.delete(id)
  } catch (cause) {
    throw new Failure({
      code: cause instanceof Failure ? cause.code : 'GATEWAY_UNREACHABLE',
      message: `The new token is in ${file}, and the old account ${id} could not be deleted: ${messageOf(cause)}.`,
      cure: `Delete it later: nightshift account delete ${id}.`,
      cause,
    })
  }
}

export interface AccountLine {
  id: string
  user: string
  /** The name in the configuration; null for an account of another deployment. */
  name: string | null
  description: string
  expiresAt: string | null
  lastUsedAt: string | null
  suspect: boolean
}

/** The token sources of the configuration's accounts, by account name. */
export type TokenPlaces = Readonly<Record<string, { token?: string | undefined; tokenFile?: string | undefined }>>

/** The service accounts that Pomerium knows, with when this deployment last used them. */
export async function listAccounts(service: ConfigService, db: Db, places: TokenPlaces): Promise<AccountLine[]> {
  const use = await accountUse(db)
  const suspects = new Set((await listSuspects(db)).flatMap((one) => (one.acknowledgedAt === null ? [one.accountId] : [])))
  const names = namesById(places)
  return (await service.list()).map(({ id, userId, description, expiresAt }) => ({
    id,
    user: userId,
    name: names.get(id) ?? null,
    description,
    expiresAt: expiresAt ?? null,
    lastUsedAt: use.get(id) ?? null,
    suspect: suspects.has(id),
  }))
}

function namesById(places: TokenPlaces): Map<string, string> {
  const names = new Map<string, string>()
  for (const [account, { token, tokenFile: file }] of Object.entries(places)) {
    try {
      names.set(createTokenSource({ account, token, file }).current().accountId, account)
    } catch {
      // A token that cannot be read names no account.
    }
  }
  return names
}

/** Deletes an account by its id. `COMMAND_INVALID` when Pomerium knows none of that id. */
export async function deleteAccount(service: ConfigService, id: string): Promise<void> {
  if (!(await service.list()).some((one) => one.id === id))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `Pomerium knows no account ${id.slice(0, 80)}.`,
      cure: 'See nightshift account list.',
    })
  await service.delete(id)
}
