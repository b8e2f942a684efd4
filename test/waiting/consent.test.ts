import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createConsentWatcher } from '../../src/waiting/consent.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { describeBackends } from '../support/app/backends.ts'
import { countingRoute, startCountingServer, type Answer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'

const job = countingJob({ retry: '{ attempts: 1 }' })

const upstreamOAuth = { authorizationUrl: 'https://idp.example/authorize' }

/** Answers once the gateway sends an upstream token, which it does when a person has connected the server. */
const whenConnected: Answer = (_, req, res) => {
  if (req.headers.authorization !== undefined) return 'done'
  res.writeHead(401).end()
  return undefined
}

describeBackends('a run that needs a person', ({ redisUrl }) => {
  test('waits, burns no attempt, and goes on by itself once the server is connected', async () => {
    await using server = await startCountingServer(whenConnected)
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server, { upstreamOAuth })],
      jobs: { act: job },
      scripts: { scripted: 'call counting__look {}\ncall counting__act {}\nsay $2' },
    })
    const { app, database, world } = testApp
    const waiting = await testApp.run('act')
    expect(waiting).toMatchObject({ status: 'waiting', failure: { code: 'CONNECTION_REQUIRED', server: 'counting' }, finishedAt: null })
    await app.consent.round()
    expect(await loadRun(database.db, waiting.id)).toMatchObject({ status: 'waiting' })

    world.gateway.connect('svc-reports', 'counting')
    await query(database.db, "update connection_looks set looked_at = looked_at - interval '1 hour'")
    await app.consent.round()
    expect(await testApp.finished(waiting.id)).toMatchObject({
      status: 'succeeded',
      attempts: [{ status: 'waiting' }, { status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('is polled once a minute by all workers together, with one request for each account', async () => {
    await using server = await startCountingServer(whenConnected)
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server, { upstreamOAuth })],
      jobs: { act: job },
      scripts: { scripted: 'call counting__look {}\nsay $1' },
    })
    const { app, database } = testApp
    await testApp.run('act')
    await testApp.run('act')
    const other = await testApp.replica()
    for (const one of [app, other, app]) await one.consent.round()
    const looks = await query(database.db, 'select account, status from gateway_requests where run_id is null')
    expect(looks).toEqual([{ account: 'reports', status: 200 }])
  })
})

test('an account whose route list never comes holds back no other', async () => {
  await using server = await startCountingServer(whenConnected)
  await using testApp = await buildTestApp({
    routes: [countingRoute(server, { upstreamOAuth })],
    jobs: { act: job },
    scripts: { scripted: 'call counting__look {}\nsay $1' },
  })
  const { app, database } = testApp
  const [silent, other] = [await testApp.run('act'), await testApp.run('act')]
  await app.worker.stop()
  await query(
    database.db,
    `update runs set waits_for = json_build_object('kind', 'connection', 'account', 'a-silent-one', 'server', 'counting') where id = $1`,
    [silent.id],
  )
  const asked: string[] = []
  const watcher = createConsentWatcher({
    db: database.db,
    producer: { wake: async () => {}, wakeSoon() {} },
    log: pino({ level: 'silent' }),
    async routesOf(account, signal) {
      asked.push(account)
      if (account === 'a-silent-one') await new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)))
      return {
        routes: new Map([
          ['counting', { name: 'counting', url: 'https://counting.example.com/mcp', description: undefined, connected: true }],
        ]),
        leftOut: new Map(),
      }
    },
  })
  await watcher.start()
  await expect.poll(() => loadRun(database.db, other.id)).toMatchObject({ status: 'queued' })
  expect(asked).toContain('a-silent-one')
  await watcher.stop()
  expect(await loadRun(database.db, silent.id)).toMatchObject({ status: 'waiting' })
})
