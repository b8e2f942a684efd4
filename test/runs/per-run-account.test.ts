import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openAudit } from '../../src/app/open/audit.ts'
import { joinEvents } from '../../src/audit/join/match.ts'
import { openLog, readLog } from '../../src/audit/read.ts'
import { auditReport } from '../../src/audit/report.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { createMinterClient } from '../../src/pomerium/minter-client.ts'
import { sweepAccounts } from '../../src/runs/accounts/account-sweep.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/mcp/counting-server.ts'
import { dumpDatabase } from '../support/database/dump.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from '../support/app/test-app.ts'
import { createLateAccounts } from '../support/gateway/late-accounts.ts'
import { openTestMinter, type TestMinter, type TestMinterOptions } from '../support/gateway/minter.ts'
import { countingJob } from '../support/app/jobs.ts'
import { someone } from '../support/actor.ts'

const job = (more = '') => countingJob({ retry: '{ attempts: 2, backoff: 1ms }', more: `limits: { deadline: 5m }\n${more}` })
const SCRIPTS = { scripted: 'call counting__look {"n": 1}\nsay done' }

const lineSchema = z.looseObject({
  'service-account-id': z.string().optional(),
  headers: z.looseObject({ 'X-Nightshift-Run-Id': z.string().optional() }).optional(),
})

/** The service account ids of the gateway's log, by the run that its lines name. */
async function accountsByRun(testApp: TestApp): Promise<Map<string, Set<string>>> {
  await testApp.world.gateway.flushLog()
  const found = new Map<string, Set<string>>()
  for (const text of readFileSync(testApp.world.logFile, 'utf8').split('\n').filter(Boolean)) {
    const line = lineSchema.parse(JSON.parse(text))
    const run = line.headers?.['X-Nightshift-Run-Id'] ?? 'none'
    found.set(run, (found.get(run) ?? new Set()).add(line['service-account-id'] ?? 'nobody'))
  }
  return found
}

const rowsOf = (db: Db) =>
  query<{ account_id: string; account: string; run_id: string; attempt: number; expires_at: Date }>(
    db,
    'select * from run_accounts order by created_at',
  )

/** A Nightshift whose account `reports` is perRun. The minter makes accounts of the testApp's own gateway. */
async function openPerRun(
  server: CountingServer,
  options: Partial<TestAppOptions> = {},
  minterOptions: TestMinterOptions = {},
): Promise<{ testApp: TestApp; minter: TestMinter } & AsyncDisposable> {
  await using building = new AsyncDisposableStack()
  const { accounts, standFor } = createLateAccounts()
  const minter = building.use(await openTestMinter({ accounts, ...minterOptions }))
  const testApp = building.use(
    await buildTestApp({
      jobs: { act: job() },
      scripts: SCRIPTS,
      ...options,
      routes: [countingRoute(server)],
      config: { minter: { socket: minter.socket }, ...options.config },
    }),
  )
  standFor(testApp.world.gateway.accounts)
  const stack = building.move()
  return { testApp, minter, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const PER_RUN = { accounts: { reports: { tokenFile: 'reports.token', perRun: true } } }

const living = (testApp: TestApp) => testApp.world.gateway.accounts.list().map(({ id }) => id)

describe('an account for each run', () => {
  test('names its run in the gateway’s log, is written down before it is used, expires at the deadline, and ends with the run', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp } = opened
    const seen: { rows: number; ofRuns: number }[] = []
    server.answer = async () => {
      const rows = await rowsOf(testApp.app.db)
      seen.push({ rows: rows.length, ofRuns: living(testApp).length - 1 })
      return 'done'
    }
    const first = await testApp.run('act')
    const second = await testApp.run('act')
    expect([first.status, second.status]).toEqual(['succeeded', 'succeeded'])
    // In the call of each run its row and its account are there, and the account of the run before is not.
    expect(seen).toEqual([
      { rows: 1, ofRuns: 1 },
      { rows: 2, ofRuns: 1 },
    ])
    const rows = await rowsOf(testApp.app.db)
    expect(rows).toMatchObject([
      { run_id: first.id, account: 'reports', attempt: 1 },
      { run_id: second.id, account: 'reports', attempt: 1 },
    ])
    const byRun = await accountsByRun(testApp)
    for (const run of [first, second]) {
      const row = rows.find(({ run_id: id }) => id === run.id)
      expect([...(byRun.get(run.id) ?? [])]).toEqual([row?.account_id])
      const lifeMs = (row?.expires_at.getTime() ?? 0) - Date.parse(run.attempts[0]?.startedAt ?? '')
      expect(lifeMs).toBeGreaterThanOrEqual(300_000)
      expect(lifeMs).toBeLessThan(330_000)
    }
    expect(living(testApp)).toEqual([testApp.world.account.id])
  })

  test('expires at the run’s deadline in Pomerium too, at the same second', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp } = opened
    let expiresAt: string | undefined
    server.answer = () => {
      expiresAt = testApp.world.gateway.accounts.list().find(({ id }) => id !== testApp.world.account.id)?.expiresAt
      return 'done'
    }
    await testApp.run('act')
    const [row] = await rowsOf(testApp.app.db)
    expect(new Date(expiresAt ?? '')).toEqual(row?.expires_at)
  })

  test('is handed to a provider that makes the calls itself', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { jobs: { act: job('delegate: hosted') }, config: PER_RUN })
    const { testApp } = opened
    const run = await testApp.run('act')
    expect(run).toMatchObject({ status: 'succeeded', toolCalls: [{ tool: 'look', status: 'ok' }] })
    const [row] = await rowsOf(testApp.app.db)
    expect([...((await accountsByRun(testApp)).get(run.id) ?? [])]).toEqual([row?.account_id])
    // Once our preflight, once the provider.
    expect(server.methods.filter((method) => method === 'initialize')).toHaveLength(2)
    expect(living(testApp)).toEqual([testApp.world.account.id])
  })

  test('tells a hosted run’s requests from those of others where the provider does not name the run', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, {
      jobs: { act: job('delegate: hosted') },
      config: PER_RUN,
      provider: { runHeader: false },
    })
    const { testApp } = opened
    const run = await testApp.run('act')
    const [row] = await rowsOf(testApp.app.db)
    // Ours name the run, the provider's do not.
    const byRun = await accountsByRun(testApp)
    expect(byRun.get(run.id)).toEqual(new Set([row?.account_id]))
    expect(byRun.get('none')).toContain(row?.account_id)
    await using audit = await openAudit(testApp.app.config, pino({ level: 'silent' }))
    // The provider closes its session after its answer: that line, too, is explained by a round that comes after it.
    const report = async () => {
      await testApp.world.gateway.flushLog()
      await readLog(audit, await openLog(testApp.world.logFile), new AbortController().signal)
      await joinEvents({ ...audit, graceMs: 0 })
      return await auditReport(testApp.app.db, audit.ours(), { graceMs: 0 })
    }
    await expect.poll(report).toMatchObject({ unexplained: 0, unreported: 0, recent: 0 })
    const { toolCalls } = await testApp.finished(run.id)
    expect(toolCalls).toMatchObject([{ tool: 'look', decision: { allowed: true, matchedBy: 'account' } }])
  })

  test.for([
    ['a route is missing', 'tools:\n  nowhere: { allow: [act] }', 'ROUTE_UNKNOWN'],
    ['a tool is missing', 'tools:\n  counting: { allow: [other] }', 'TOOL_MISSING'],
  ] as const)('ends also when %s', async ([, tools, code]) => {
    await using server = await startCountingServer()
    const text = job().replace(/tools:\n.*/, tools)
    await using opened = await openPerRun(server, { jobs: { act: text }, config: PER_RUN })
    const { testApp } = opened
    expect(await testApp.run('act')).toMatchObject({ status: 'failed', failure: { code } })
    expect(await rowsOf(testApp.app.db)).toHaveLength(1)
    expect(living(testApp)).toEqual([testApp.world.account.id])
  })

  test('ends also when the run is cancelled', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp } = opened
    server.answer = () => new Promise<undefined>(() => {})
    await testApp.app.worker.start()
    const called = server.nextCall()
    const id = await testApp.queue('act')
    await called
    expect(living(testApp)).toHaveLength(2)
    await cancelRun(testApp.app.db, id, someone())
    expect(await testApp.ended(id)).toMatchObject({ status: 'cancelled' })
    expect(living(testApp)).toEqual([testApp.world.account.id])
  })

  test('a token that was minted is in no row, log line, progress or result, though a server gives it away', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    const tokens: string[] = []
    const { accounts } = testApp.world.gateway
    const create = accounts.create.bind(accounts)
    accounts.create = async (about) => {
      const made = await create(about)
      tokens.push(made.jwt)
      return made
    }
    server.answer = () => `your token is ${tokens.at(-1)}`
    expect(await testApp.run('act')).toMatchObject({ status: 'succeeded' })
    server.answer = (_, __, res) => void res.writeHead(400, { 'content-type': 'text/plain' }).end(`Bearer Pomerium-${tokens.at(-1)}`)
    expect(await testApp.run('act')).toMatchObject({ status: 'failed' })
    expect(tokens).toHaveLength(2)
    const kept = [
      testApp.log.join(''),
      minter.log.join(''),
      JSON.stringify(testApp.progress),
      await dumpDatabase(testApp.database.db),
    ].join('\n')
    for (const jwt of tokens) expect(kept.includes(jwt) || kept.includes(jwt.split('.')[2] ?? ''), jwt).toBe(false)
    expect(kept).toContain('your token is [secret]')
  })
})

describe('an account ends with its run, whatever died', () => {
  const sweep = (testApp: TestApp, minter: TestMinter) => {
    const client = createMinterClient(minter.socket)
    return sweepAccounts({ db: testApp.app.db, minter: () => client, log: pino({ level: 'silent' }) }).finally(() => client.close())
  }
  const open = (db: Db) => query(db, 'select run_id, attempt from run_account_ends where ended_at is null')

  test('the minter was started again while the run was at work', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    let again: AsyncDisposable | undefined
    server.answer = async () => {
      await minter.stop()
      again = await minter.start()
      return 'done'
    }
    expect(await testApp.run('act')).toMatchObject({ status: 'succeeded' })
    expect(living(testApp)).toEqual([testApp.world.account.id])
    expect(await open(testApp.app.db)).toEqual([])
    await again?.[Symbol.asyncDispose]()
  })

  test('the minter was away when the run ended', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    server.answer = async () => {
      await minter.stop()
      return 'done'
    }
    const run = await testApp.run('act')
    expect(living(testApp)).toHaveLength(2)
    expect(await open(testApp.app.db)).toEqual([{ run_id: run.id, attempt: 1 }])
    expect(await sweep(testApp, minter)).toBe(0)
    await using later = new AsyncDisposableStack()
    later.use(await minter.start())
    await query(testApp.app.db, 'update run_account_ends set next_try_at = now()')
    expect(await sweep(testApp, minter)).toBe(1)
    expect(living(testApp)).toEqual([testApp.world.account.id])
    expect(await open(testApp.app.db)).toEqual([])
  })

  test('a hosted run was cancelled while its provider was at work', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { jobs: { act: job('delegate: hosted') }, config: PER_RUN })
    const { testApp, minter } = opened
    server.answer = () => new Promise<undefined>(() => {})
    await testApp.app.worker.start()
    const called = server.nextCall()
    const id = await testApp.queue('act')
    await called
    // A run that is under way keeps its account.
    expect(await sweep(testApp, minter)).toBe(0)
    await cancelRun(testApp.app.db, id, someone())
    expect(await testApp.ended(id)).toMatchObject({ status: 'cancelled' })
    await sweep(testApp, minter)
    expect(living(testApp)).toEqual([testApp.world.account.id])
    expect(await open(testApp.app.db)).toEqual([])
  })

  test('the worker died between the answer of the minter and its row', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    const { db } = testApp.app
    await query(db, `create function die() returns trigger language plpgsql as $$ begin raise 'it died'; end $$`)
    await query(db, 'create trigger die before insert on run_accounts for each row execute function die()')
    expect((await testApp.run('act')).status).toBe('failed')
    expect(living(testApp).length).toBeGreaterThan(1)
    expect(await sweep(testApp, minter)).toBe(1)
    expect(living(testApp)).toEqual([testApp.world.account.id])
    expect(await open(db)).toEqual([])
  })

  test('its run was removed', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    server.answer = async () => {
      await minter.stop()
      return 'done'
    }
    const { id } = await testApp.run('act')
    await query(testApp.app.db, 'delete from runs where id = $1', [id])
    await using later = new AsyncDisposableStack()
    later.use(await minter.start())
    expect(await sweep(testApp, minter)).toBe(1)
    expect(living(testApp)).toEqual([testApp.world.account.id])
  })
})

describe('without an account from the minter', () => {
  test('a minter that cannot reach Pomerium is asked again, and the run goes on', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp } = opened
    const { accounts } = testApp.world.gateway
    const create = accounts.create.bind(accounts)
    let broken = true
    accounts.create = (about) => {
      if (!broken) return create(about)
      broken = false
      return Promise.reject(new Error('the databroker is away'))
    }
    const run = await testApp.run('act')
    expect(await testApp.finished(run.id)).toMatchObject({
      status: 'succeeded',
      attempts: [{ status: 'failed', failure: { code: 'MINTER_REFUSED', retry: 'later' } }, { status: 'succeeded' }],
    })
  })

  test('a minter that is down is asked as often as the job says, before a model token is spent', async () => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN })
    const { testApp, minter } = opened
    await minter.stop()
    const run = await testApp.run('act')
    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'MINTER_REFUSED', message: expect.stringContaining('does not answer') },
      turns: [],
    })
    expect(run.attempts).toHaveLength(2)
    expect(server.methods).toEqual([])
  })

  test.for([
    [
      'another user than its policy names',
      { users: ['svc-other'], maxLifetimeMs: 3_600_000, perMinute: 9 },
      'this user is not in its policy',
    ],
    ['a shorter life than the deadline', { users: ['svc-reports'], maxLifetimeMs: 60_000, perMinute: 9 }, 'an account may live 60 s'],
  ] as const)('a run is failed at once when the minter allows %s', async ([, policy, why]) => {
    await using server = await startCountingServer()
    await using opened = await openPerRun(server, { config: PER_RUN }, { policy })
    const run = await opened.testApp.run('act')
    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'MINTER_REFUSED', retry: 'never', message: expect.stringContaining(why) },
    })
    expect(run.attempts).toHaveLength(1)
    expect(server.methods).toEqual([])
  })
})
