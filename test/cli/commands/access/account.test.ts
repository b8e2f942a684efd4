import { randomUUID } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { startDemoConfigService, type DemoConfigService } from '../../../../src/demo/gateway/config-service.ts'
import { query } from '../../../../src/store/postgres/db.ts'
import { raiseSuspect } from '../../../../src/store/audit/suspects.ts'
import { command } from '../../../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../../../support/mcp/counting-server.ts'
import { freePort, serveHttp } from '../../../support/net/listen.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from '../../../support/app/test-app.ts'
import { createLateAccounts } from '../../../support/gateway/late-accounts.ts'
import { openScreen } from '../../../support/cli/screen.ts'
import { countingJob } from '../../../support/app/jobs.ts'

const JOB = countingJob({ tools: 'counting: { allow: [act] }' })
const madeSchema = z.looseObject({ id: z.string(), user: z.string(), expiresAt: z.string() })

interface AdminHouse extends AsyncDisposable {
  testApp: TestApp
  service: DemoConfigService
  at: readonly [string, string]
  /** Ids of the accounts that Pomerium knows. */
  ids: () => string[]
}

async function openAdminHouse(options: Partial<TestAppOptions> = {}): Promise<AdminHouse> {
  await using building = new AsyncDisposableStack()
  const { accounts, standFor } = createLateAccounts()
  const sharedSecret = randomBytes(32)
  const service = building.use(await startDemoConfigService({ accounts, sharedSecret }))
  const testApp = building.use(
    await buildTestApp({
      jobs: { act: JOB },
      ...options,
      config: {
        accounts: { audit: { tokenFile: 'audit.token' } },
        admin: { url: service.url, sharedSecretFile: 'shared-secret' },
        ...options.config,
      },
    }),
  )
  standFor(testApp.world.gateway.accounts)
  writeFileSync(join(testApp.dir, 'shared-secret'), `${sharedSecret.toString('base64')}\n`, { mode: 0o600 })
  const stack = building.move()
  return {
    testApp,
    service,
    at: ['-c', testApp.world.configFile],
    ids: () => testApp.world.gateway.accounts.list().map(({ id }) => id),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Changes the testApp's configuration for the commands that follow. */
function reconfigure({ testApp: { world } }: AdminHouse, change: (config: Record<string, unknown>) => void): void {
  const config = z.record(z.string(), z.unknown()).parse(parse(readFileSync(world.configFile, 'utf8')))
  change(config)
  writeFileSync(world.configFile, stringify(config))
}

const jwtOf = (file: string) => readFileSync(file, 'utf8').trim()
const parts = (testApp: TestApp) => readdirSync(testApp.dir).filter((file) => file.includes('.part'))

describe('account create', () => {
  test('puts the token into the account’s file, which only its owner can read, and does not print it', async () => {
    await using admin = await openAdminHouse()
    const file = join(admin.testApp.dir, 'audit.token')
    const { code, out, err } = await command([
      ...admin.at,
      'account',
      'create',
      'audit',
      '--user',
      'svc-audit',
      '--expires',
      '30d',
      '--json',
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const made = madeSchema.parse(JSON.parse(out))
    expect(made).toEqual({ id: made.id, user: 'svc-audit', expiresAt: made.expiresAt, file })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const account = await admin.testApp.world.gateway.accounts.verify(jwtOf(file))
    expect(account).toMatchObject({ id: made.id, userId: 'svc-audit', description: 'Nightshift audit' })
    expect(Date.parse(account?.expiresAt ?? '') - Date.now()).toBeGreaterThan(29 * 86_400_000)
    expect(out).not.toContain(jwtOf(file))
    expect(parts(admin.testApp)).toEqual([])
  })

  test('keeps the mode of a token file that was there, for a worker of another user', async () => {
    await using admin = await openAdminHouse()
    const file = join(admin.testApp.dir, 'shared.token')
    writeFileSync(file, '')
    chmodSync(file, 0o640)
    const { code } = await command([...admin.at, 'account', 'create', 'other', '--user', 'svc-audit', '--out', file])
    expect({ code, mode: statSync(file).mode & 0o777 }).toEqual({ code: 0, mode: 0o640 })
    expect(jwtOf(file)).not.toBe('')
  })

  test('says for people where the token is', async () => {
    await using admin = await openAdminHouse()
    const file = join(admin.testApp.dir, 'other.token')
    const { code, out } = await command([...admin.at, 'account', 'create', 'other', '--user', 'svc-audit', '--out', file])
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Account \S+ of svc-audit until \S+Z; its token is in .*other\.token\.$/),
    })
    expect(out).not.toContain(jwtOf(file))
  })

  test('prints the token alone when it is asked to, and writes no file', async () => {
    await using admin = await openAdminHouse()
    const { code, out, err } = await command([...admin.at, 'account', 'create', 'audit', '--user', 'svc-audit', '--show-token'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await admin.testApp.world.gateway.accounts.verify(out)).toMatchObject({ userId: 'svc-audit' })
    expect(existsSync(join(admin.testApp.dir, 'audit.token'))).toBe(false)
  })

  test.for([
    ['a life that is none', ['audit', '--user', 'svc-audit', '--expires', 'soon'], /12h or 90d/],
    ['no life at all', ['audit', '--user', 'svc-audit', '--expires', '0d'], /a second at least/],
    ['no user', ['audit'], /--user/],
    ['an empty user', ['audit', '--user', ''], /./],
    ['no place for the token', ['other', '--user', 'svc-audit'], /accounts\.other has no tokenFile.*--out/],
    [
      'a file that has a token',
      ['reports', '--user', 'svc-reports'],
      /There is a token in .*reports\.token already.*account rotate reports/,
    ],
    [
      'a directory that is not there',
      ['audit', '--user', 'svc-audit', '--out', '/nowhere/at/all.token'],
      /cannot be written to \/nowhere\/at\/all\.token.*deleted again/,
    ],
  ] as const)('refuses %s, and leaves no account behind', async ([, args, message]) => {
    await using admin = await openAdminHouse()
    const before = { ids: admin.ids(), token: jwtOf(admin.testApp.world.tokenFile) }
    const { code, out, err } = await command([...admin.at, 'account', 'create', ...args])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
    expect(err).not.toContain('INTERNAL_ERROR')
    expect({ ids: admin.ids(), token: jwtOf(admin.testApp.world.tokenFile) }).toEqual(before)
  })
})

describe('account list', () => {
  test('shows user, name, end, last use and whether an account is suspect, for people and as JSON', async () => {
    await using server = await startCountingServer()
    await using admin = await openAdminHouse({ routes: [countingRoute(server)], scripts: { scripted: 'say done' } })
    const { testApp, at } = admin
    await testApp.run('act')
    const soon = await testApp.world.gateway.accounts.create({ userId: 'svc-audit', expiresAt: new Date(Date.now() + 3.5 * 86_400_000) })
    const gone = await testApp.world.gateway.accounts.create({ userId: 'svc-gone', expiresAt: new Date(0) })
    const [event] = await query<{ id: string }>(
      testApp.app.db,
      `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons) values ('d', 1, 'r', now(), 'POST', 'h', '/', 'i', 'u', true, '{}') returning id`,
    )
    const alarmId = randomUUID()
    const about = { source: '/nightshift/audit', type: 'nightshift.audit.unexplained', subject: gone.id, time: new Date().toISOString() }
    const body = { specversion: '1.0', id: alarmId, ...about, datacontenttype: 'application/json', data: {} } as const
    await raiseSuspect(testApp.app.db, { accountId: gone.id, account: null, events: [event?.id ?? ''] }, { id: alarmId, body })
    const { code, out, err } = await command([...at, 'account', 'list', '--json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({
        id: testApp.world.account.id,
        user: 'svc-reports',
        name: 'reports',
        expiresAt: null,
        lastUsedAt: expect.stringMatching(/Z$/),
        suspect: false,
      }),
      expect.objectContaining({
        id: soon.id,
        user: 'svc-audit',
        name: null,
        expiresAt: expect.stringMatching(/Z$/),
        lastUsedAt: null,
        suspect: false,
      }),
      expect.objectContaining({ id: gone.id, user: 'svc-gone', suspect: true }),
    ])
    for (const columns of [80, 200]) {
      const screen = openScreen([...at, 'account', 'list'], { columns })
      expect(await screen.ended).toBe(0)
      const lineOf = (id: string) =>
        screen
          .out()
          .split('\n')
          .find((line) => line.startsWith(id)) ?? ''
      expect(lineOf(testApp.world.account.id)).toMatch(/reports +never +20\d\d-/)
      expect(lineOf(soon.id)).toMatch(/svc-audit +in 3 days +never$/)
      expect(lineOf(gone.id)).toMatch(/svc-gone +expired +never +(suspect|!)$/)
      expect(screen.out()).toContain('See nightshift audit report.')
      expect(
        Math.max(
          ...screen
            .out()
            .split('\n')
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(columns)
    }
  })
})

/** The same with a worker whose runs are held in a call until they are released. */
async function openBusyHouse() {
  await using building = new AsyncDisposableStack()
  const server = building.use(await startCountingServer())
  const admin = building.use(
    await openAdminHouse({ routes: [countingRoute(server)], scripts: { scripted: 'call counting__act {"n": 1}\nsay done' } }),
  )
  let release = () => {}
  server.answer = () => new Promise<string>((done) => (release = () => done('done')))
  await admin.testApp.app.worker.start()
  const stack = building.move()
  return {
    ...admin,
    server,
    release: () => release(),
    /** Begins a run, which is in its call then. */
    async begin(): Promise<string> {
      const called = server.nextCall()
      const runId = await admin.testApp.queue('act')
      await called
      return runId
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

describe('account rotate', () => {
  test('swaps the token at once, waits for the run that holds the old one, then deletes that account and says how long it may live on', async () => {
    await using busy = await openBusyHouse()
    const { testApp, at, ids, server } = busy
    const runId = await busy.begin()
    const old = testApp.world.account
    const screen = openScreen([...at, 'account', 'rotate', 'reports', '--expires', '10d'])
    await screen.says('Waiting for the runs that hold the old one')
    const jwt = jwtOf(testApp.world.tokenFile)
    expect(await testApp.world.gateway.accounts.verify(jwt)).toMatchObject({ userId: 'svc-reports' })
    expect(jwt).not.toBe(old.jwt)
    expect(statSync(testApp.world.tokenFile).mode & 0o777).toBe(0o600)
    expect(ids()).toContain(old.id)
    busy.release()
    expect(await testApp.ended(runId)).toMatchObject({ status: 'succeeded' })
    expect(await screen.ended).toBe(0)
    expect(ids()).not.toContain(old.id)
    expect(ids()).toHaveLength(1)
    expect(screen.out()).toMatch(
      /^Account \S+ of svc-reports until \S+; \S+ is deleted\. Pomerium may honour a deleted account for up to a minute\.$/,
    )
    expect(screen.out() + screen.err()).not.toContain(jwt)
    expect(parts(testApp)).toEqual([])
    server.answer = () => 'done'
    const next = await testApp.run('act')
    expect(next).toMatchObject({ status: 'succeeded' })
  })

  test('a run that begins while the file is swapped, and may still hold the old token, is waited for too', async () => {
    await using busy = await openBusyHouse()
    const { testApp, at, ids } = busy
    const screen = openScreen([...at, 'account', 'rotate', 'reports'])
    await screen.says('Waiting for the runs that hold the old one')
    const runId = await busy.begin()
    expect(ids()).toContain(testApp.world.account.id)
    busy.release()
    expect(await testApp.ended(runId)).toMatchObject({ status: 'succeeded' })
    expect(await screen.ended).toBe(0)
    expect(ids()).not.toContain(testApp.world.account.id)
  })

  test('Ctrl-C while it waits leaves the old account, and says how to delete it', async () => {
    await using busy = await openBusyHouse()
    const { testApp, at, ids } = busy
    await busy.begin()
    const screen = openScreen([...at, 'account', 'rotate', 'reports'])
    await screen.says('Waiting')
    screen.interrupt()
    expect(await screen.ended).not.toBe(0)
    expect(screen.err()).toContain(`nightshift account delete ${testApp.world.account.id}`)
    expect(ids()).toContain(testApp.world.account.id)
    busy.release()
  })

  test.for([
    ['an account that has no file', 'other', /accounts\.other has no tokenFile/],
    ['a file that is not there', 'audit', /TOKEN_REJECTED .*audit\.token/],
  ] as const)('refuses %s, and makes nothing', async ([, name, message]) => {
    await using admin = await openAdminHouse()
    const { code, out, err } = await command([...admin.at, 'account', 'rotate', name])
    expect({ ok: code === 0, out }).toEqual({ ok: false, out: '' })
    expect(err).toMatch(message)
    expect(admin.ids()).toEqual([admin.testApp.world.account.id])
  })
})

describe('account delete', () => {
  test('deletes by id, says how long it may live on, and knows which are not there', async () => {
    await using admin = await openAdminHouse()
    const { id } = admin.testApp.world.account
    const { code, out } = await command([...admin.at, 'account', 'delete', id])
    expect({ code, out }).toEqual({ code: 0, out: `${id} is deleted. Pomerium may honour a deleted account for up to a minute.` })
    expect(admin.ids()).toEqual([])
    expect(await command([...admin.at, 'account', 'delete', id])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(`Pomerium knows no account ${id}`),
    })
  })
})

describe('what the account commands need', () => {
  const LIST = ['account', 'list']

  test('without admin: they say what to write', async () => {
    await using admin = await openAdminHouse()
    reconfigure(admin, (config) => delete config['admin'])
    for (const args of [
      LIST,
      ['account', 'create', 'audit', '--user', 'svc-audit'],
      ['account', 'rotate', 'reports'],
      ['account', 'delete', 'x'],
    ]) {
      const { code, out, err } = await command([...admin.at, ...args])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/^CONFIG_INVALID There is no admin: section\. Add admin:/)
    }
  })

  test.for([
    ['another secret', randomBytes(32).toString('base64'), /Pomerium does not accept the shared secret.*sharedSecretFile/],
    ['a short secret', 'c2hvcnQ=', /at least 32 bytes/],
    ['no secret', '', /at least 32 bytes/],
  ] as const)('with %s they end, and show none', async ([, secret, message]) => {
    await using admin = await openAdminHouse()
    writeFileSync(join(admin.testApp.dir, 'shared-secret'), secret)
    const { code, out, err } = await command([...admin.at, ...LIST])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
    if (secret !== '') expect(err).not.toContain(secret)
  })

  test('with a secret file that is not there they name it', async () => {
    await using admin = await openAdminHouse()
    reconfigure(admin, (config) => (config['admin'] = { url: admin.service.url, sharedSecretFile: 'elsewhere' }))
    expect(await command([...admin.at, ...LIST])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^CONFIG_INVALID .*elsewhere/),
    })
  })

  test('with ConfigService down they say where it is looked for', async () => {
    await using admin = await openAdminHouse()
    const port = await freePort()
    reconfigure(admin, (config) => (config['admin'] = { url: `http://127.0.0.1:${port}`, sharedSecretFile: 'shared-secret' }))
    const { code, out, err } = await command([...admin.at, ...LIST])
    expect({ ok: code === 0, out }).toEqual({ ok: false, out: '' })
    expect(err).toMatch(new RegExp(`^GATEWAY_UNREACHABLE .*127\\.0\\.0\\.1:${port} does not answer.*admin\\.url`))
  })

  test('with another server at its address they say so', async () => {
    await using admin = await openAdminHouse()
    await using other = await serveHttp((_, res) => res.end('<html>hello</html>'))
    reconfigure(admin, (config) => (config['admin'] = { url: other.url, sharedSecretFile: 'shared-secret' }))
    const { code, err } = await command([...admin.at, ...LIST])
    expect(code).toBe(2)
    expect(err).toMatch(/does not answer like Pomerium’s ConfigService/)
  })
})
