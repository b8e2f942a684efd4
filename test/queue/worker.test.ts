import { expect, test } from 'vitest'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { describeBackends, queueEntries } from '../support/app/backends.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'

const job = (more = '') => countingJob({ retry: '{ attempts: 3, backoff: 10ms }', more })

describeBackends('the worker', ({ redisUrl }) => {
  /** The job `act` on the counting server, with a model that says this. */
  const open = (server: CountingServer, scripted: string) =>
    buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job() }, scripts: { scripted } })

  test('does a run and keeps what it did', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'call counting__act {"n": 1}\nsay $1')
    expect(await testApp.run('act')).toMatchObject({
      status: 'succeeded',
      outputText: 'done',
      attempts: [{ number: 1, status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('tries again after a failure that time can heal, and makes no finished call twice', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'call counting__act {"n": 1}\nfail 500\nfail 500\nfail 500\nsay $1')
    const run = await testApp.run('act')
    expect(run).toMatchObject({
      status: 'succeeded',
      attempts: [{ status: 'failed', failure: { code: 'MODEL_UNAVAILABLE' } }, { status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('stops at once after a failure that nothing heals', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'fail 401 invalid_api_key')
    expect(await testApp.run('act')).toMatchObject({ status: 'failed', failure: { code: 'MODEL_AUTH' }, attempts: [{ status: 'failed' }] })
  })

  test('puts only the id of a run into the queue', async () => {
    await using testApp = await buildTestApp({ redisUrl, jobs: { act: job() }, scripts: {} })
    const id = await testApp.queue('act')
    expect(await queueEntries(testApp)).toEqual([{ id, data: { runId: id } }])
  })

  test('finds runs that were written and never reached the queue', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'say done')
    const { app, database } = testApp
    const id = await testApp.write('act')
    await query(database.db, "update runs set created_at = created_at - interval '1 minute'")
    await app.worker.start()
    await app.sweeper.round()
    expect(await testApp.ended(id)).toMatchObject({ status: 'succeeded' })
  })

  test('ends runs that may not go on when it is stopped, and another worker goes on without repeating', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job() },
      scripts: { scripted: 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 $2' },
      config: { worker: { drainTimeout: '10ms' } },
    })
    const held = Promise.withResolvers<string>()
    server.answer = (call) => (call.name === 'look' ? held.promise : 'acted')
    await testApp.app.worker.start()
    const id = await testApp.queue('act')
    while ((await server.nextCall()).name !== 'look');
    await testApp.app.worker.stop()
    server.answer = () => 'looked'
    const other = await testApp.replica()
    await other.worker.start()
    held.resolve('too late')
    expect(await testApp.ended(id)).toMatchObject({
      status: 'succeeded',
      outputText: 'acted looked',
      attempts: [{ status: 'lost' }, { status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('lets runs end when it is stopped and they do so in time', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'call counting__act {}\nsay $1')
    const held = Promise.withResolvers<string>()
    server.answer = () => held.promise
    await testApp.app.worker.start()
    const id = await testApp.queue('act')
    await server.nextCall()
    const stopped = testApp.app.worker.stop()
    held.resolve('done')
    await stopped
    expect(await loadRun(testApp.app.db, id)).toMatchObject({ status: 'succeeded', attempts: [{ status: 'succeeded' }] })
  })

  test('cancels a run that it does, and one that is only queued', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'call counting__look {}\nsay $1')
    const { app, database } = testApp
    const queued = await testApp.queue('act')
    await cancelRun(database.db, queued)
    server.answer = () => new Promise(() => {})
    await app.worker.start()
    const running = await testApp.queue('act')
    await server.nextCall()
    await cancelRun(database.db, running)
    expect(await testApp.ended(running)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
    expect(await loadRun(database.db, queued)).toMatchObject({ status: 'cancelled', attempts: [] })
  })

  test('cancels a run also while it is being drained', async () => {
    await using server = await startCountingServer()
    await using testApp = await open(server, 'call counting__look {}\nsay $1')
    server.answer = () => new Promise(() => {})
    await testApp.app.worker.start()
    const id = await testApp.queue('act')
    await server.nextCall()
    const stopped = testApp.app.worker.stop()
    await cancelRun(testApp.database.db, id)
    await stopped
    expect(await loadRun(testApp.database.db, id)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
  })
})
