import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAccount, deleteAccount, listAccounts, openAdmin, rotateAccount } from '../../src/accounts/service-accounts.ts'
import { writeToken } from '../../src/accounts/token-file.ts'
import { Failure } from '../../src/core/failure.ts'
import { createDemoAccounts, type DemoAccounts } from '../../src/demo/gateway/accounts.ts'
import { startDemoConfigService } from '../../src/demo/gateway/config-service.ts'
import type { ConfigService } from '../../src/pomerium/config-service.ts'
import { countRunsHolding } from '../../src/store/audit/accounts.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { claim, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'

const DAY_MS = 86_400_000
const NEW = { name: 'reports', user: 'svc-reports', lifeMs: DAY_MS }

const home = mkdtempSync(join(tmpdir(), 'nightshift-accounts-'))
const stack = new AsyncDisposableStack()
let database: TestDatabase
let accounts: DemoAccounts
let service: ConfigService
let file: string

beforeAll(async () => {
  database = stack.use(await createTestDatabase())
})
afterAll(async () => {
  await stack.disposeAsync()
  rmSync(home, { recursive: true, force: true })
})
beforeEach(async () => {
  const sharedSecret = randomBytes(32)
  accounts = createDemoAccounts()
  const { url } = stack.use(await startDemoConfigService({ accounts, sharedSecret }))
  const sharedSecretFile = join(mkdtempSync(join(home, 'one-')), 'shared-secret')
  writeFileSync(sharedSecretFile, sharedSecret.toString('base64'))
  service = stack.use(openAdmin({ url, sharedSecretFile }))
  file = join(mkdtempSync(join(home, 'tokens-')), 'reports.jwt')
})

const ids = () => accounts.list().map(({ id }) => id)
const refusing = (what: Partial<ConfigService>): ConfigService => ({ ...service, ...what })
const away = () => Promise.reject(new Failure({ code: 'GATEWAY_UNREACHABLE', message: 'ConfigService does not answer.' }))

test('without an admin section there is nothing to open, and the failure says what to write', () => {
  expect(() => openAdmin(undefined)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: 'There is no admin: section.', cure: expect.stringContaining('admin: {') }),
  )
})

describe('createAccount', () => {
  test('makes an account of the user that ends when it should, and puts its token into the file', async () => {
    const before = Date.now()
    const { id, jwt, expiresAt } = await createAccount(service, NEW, file)
    expect(readFileSync(file, 'utf8').trim()).toBe(jwt)
    expect(await accounts.verify(jwt)).toMatchObject({ id, userId: 'svc-reports', description: 'Nightshift reports' })
    expect(Date.parse(expiresAt)).toBeGreaterThanOrEqual(before + DAY_MS)
    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.now() + DAY_MS)
  })

  test('without a file the token is in its answer alone', async () => {
    const { jwt } = await createAccount(service, NEW, undefined)
    expect(await accounts.verify(jwt)).toMatchObject({ userId: 'svc-reports' })
    expect(existsSync(file)).toBe(false)
  })

  test('a file that holds a token is left alone, and no account is made', async () => {
    writeFileSync(file, 'the one in use\n')
    await expect(createAccount(service, NEW, file)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    expect({ text: readFileSync(file, 'utf8'), ids: ids() }).toEqual({ text: 'the one in use\n', ids: [] })
  })

  test('an account whose token cannot be kept is deleted again', async () => {
    const nowhere = join(home, 'nowhere', 'reports.jwt')
    await expect(createAccount(service, NEW, nowhere)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/reports\.jwt: ENOENT.*The new account was deleted again\.$/),
    })
    expect(ids()).toEqual([])
  })

  test('when that deletion fails too, both are said, with the id of the account that is left', async () => {
    const nowhere = join(home, 'nowhere', 'reports.jwt')
    const failure = await createAccount(refusing({ delete: away }), NEW, nowhere).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`ENOENT.*The new account ${ids()[0]} could not be deleted again: ConfigService does not answer`),
      ),
      cure: expect.stringContaining('nightshift account list'),
    })
    expect(ids()).toHaveLength(1)
  })
})

/** The store, with a word once something was asked of it. */
const onQuery = (db: Db, told: () => void): Db =>
  new Proxy(db, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args)
        if (key === 'query') void Promise.resolve(answer).finally(told)
        return answer
      }
    },
  })

describe('rotateAccount', () => {
  async function given() {
    const old = await accounts.create({ userId: 'svc-reports' })
    writeToken(file, old.jwt)
    return old
  }
  const options = (more: { signal?: AbortSignal; onSwapped?: () => void } = {}) => ({
    name: 'reports',
    file,
    lifeMs: DAY_MS,
    signal: new AbortController().signal,
    onSwapped: () => {},
    ...more,
  })

  test('puts a token of the same user in place, then deletes the old account', async () => {
    const old = await given()
    const rotation = await rotateAccount(service, database.db, options())
    expect(rotation).toMatchObject({ replaced: old.id, user: 'svc-reports', file, isOldDeleted: true })
    expect(await accounts.verify(readFileSync(file, 'utf8').trim())).toMatchObject({ id: rotation.id, userId: 'svc-reports' })
    expect(ids()).toEqual([rotation.id])
  })

  test('a run that may hold the old token keeps the old account alive until it is over', async () => {
    const old = await given()
    const runId = await writeRun(database.db)
    await claim(database.db, runId)
    const looked = Promise.withResolvers<void>()
    const db = onQuery(database.db, looked.resolve)
    const rotating = rotateAccount(service, db, options())
    await looked.promise
    // It has looked, and found the run: only another look, after the run's end, can let it go on.
    const found = await countRunsHolding(database.db, 'reports', new Date())
    expect({ found, ids: ids() }).toMatchObject({ found: 1, ids: expect.arrayContaining([old.id]) })
    await query(database.db, 'update attempts set finished_at = now() where run_id = $1', [runId])
    expect(await rotating).toMatchObject({ isOldDeleted: true })
    expect(ids()).not.toContain(old.id)
  })

  test('waiting that is ended leaves the old account, and says so', async () => {
    const old = await given()
    const ending = new AbortController()
    const rotation = await rotateAccount(service, database.db, options({ signal: ending.signal, onSwapped: () => ending.abort() }))
    expect(rotation).toMatchObject({ replaced: old.id, isOldDeleted: false })
    expect(ids()).toEqual([old.id, rotation.id])
  })

  test('an old account that cannot be deleted is named, and so is where the new token is', async () => {
    const old = await given()
    await expect(rotateAccount(refusing({ delete: away }), database.db, options())).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      message: `The new token is in ${file}, and the old account ${old.id} could not be deleted: ConfigService does not answer.`,
      cure: `Delete it later: nightshift account delete ${old.id}.`,
    })
    expect(await accounts.verify(readFileSync(file, 'utf8').trim())).toMatchObject({ userId: 'svc-reports' })
  })

  test('a new token that cannot be written leaves the old one in its file, its account, and no other', async () => {
    const old = await given()
    // A directory where the new file is prepared: it cannot be written, also by root.
    mkdirSync(`${file}.${process.pid}.part`)
    writeFileSync(join(`${file}.${process.pid}.part`, 'full'), '')
    await expect(rotateAccount(service, database.db, options())).rejects.toThrow()
    expect({ ids: ids(), text: readFileSync(file, 'utf8').trim() }).toEqual({ ids: [old.id], text: old.jwt })
  })

  test('without a token there is no user to make an account for, and none is made', async () => {
    await expect(rotateAccount(service, database.db, options())).rejects.toMatchObject({ code: 'TOKEN_REJECTED' })
    expect(ids()).toEqual([])
  })
})

describe('listAccounts and deleteAccount', () => {
  test('an account has the name of the configuration whose token it is, and others have none', async () => {
    const ours = await accounts.create({ userId: 'svc-reports', description: 'Nightshift reports' })
    const others = await accounts.create({ userId: 'svc-other', expiresAt: new Date('2040-01-01T00:00:00Z') })
    writeToken(file, ours.jwt)
    const places = { reports: { tokenFile: file }, unreadable: { tokenFile: join(home, 'none') }, without: {} }
    expect(await listAccounts(service, database.db, places)).toEqual([
      {
        id: ours.id,
        user: 'svc-reports',
        name: 'reports',
        description: 'Nightshift reports',
        expiresAt: null,
        lastUsedAt: null,
        suspect: false,
      },
      {
        id: others.id,
        user: 'svc-other',
        name: null,
        description: '',
        expiresAt: '2040-01-01T00:00:00Z',
        lastUsedAt: null,
        suspect: false,
      },
    ])
  })

  test('an id that Pomerium does not know is refused by name, cut, and nothing is deleted', async () => {
    const { id } = await accounts.create({ userId: 'svc-reports' })
    await expect(deleteAccount(service, 'x'.repeat(500))).rejects.toMatchObject({
      code: 'COMMAND_INVALID',
      message: `Pomerium knows no account ${'x'.repeat(80)}.`,
    })
    expect(ids()).toEqual([id])
    await deleteAccount(service, id)
    expect(ids()).toEqual([])
  })
})
