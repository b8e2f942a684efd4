import { expect, test } from 'vitest'
import { query } from '../../src/store/db.ts'
import { loadRun } from '../../src/store/show.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { describeBackends, queueEntries } from '../support/backends.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/counting-server.ts'
import { buildHouse } from '../support/house.ts'

const job = (extra = '') => `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  counting: { allow: [act, look], repeatable: [look] }
retry: { attempts: 3, backoff: 10ms }
${extra}`

describeBackends('the worker', ({ redisUrl }) => {
  /** The job `act` on the counting server, with a model that says this. */
  const open = (server: CountingServer, scripted: string) =>
    buildHouse({ redisUrl, routes: [countingRoute(server)], jobs: { act: job() }, scripts: { scripted } })

  test('does a run and keeps what it did', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'call counting__act {"n": 1}\nsay $1')
    expect(await house.run('act')).toMatchObject({
      status: 'succeeded',
      outputText: 'done',
      attempts: [{ number: 1, status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('tries again after a failure that time can heal, and makes no finished call twice', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'call counting__act {"n": 1}\nfail 500\nfail 500\nfail 500\nsay $1')
    const run = await house.run('act')
    expect(run).toMatchObject({
      status: 'succeeded',
      attempts: [{ status: 'failed', failure: { code: 'MODEL_UNAVAILABLE' } }, { status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('stops at once after a failure that nothing heals', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'fail 401 invalid_api_key')
    expect(await house.run('act')).toMatchObject({ status: 'failed', failure: { code: 'MODEL_AUTH' }, attempts: [{ status: 'failed' }] })
  })

  test('puts only the id of a run into the queue', async () => {
    await using house = await buildHouse({ redisUrl, jobs: { act: job() }, scripts: {} })
    const id = await house.queue('act')
    expect(await queueEntries(house)).toEqual([{ id, data: { runId: id } }])
  })

  test('finds runs that were written and never reached the queue', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'say done')
    const { app, database } = house
    const id = await house.write('act')
    await query(database.db, "update runs set created_at = created_at - interval '1 minute'")
    await app.worker.start()
    await app.scheduler.tick()
    expect(await house.ended(id)).toMatchObject({ status: 'succeeded' })
  })

  test('ends runs that may not go on when it is stopped, and another worker goes on without repeating', async () => {
    await using server = await startCountingServer()
    await using house = await buildHouse({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job() },
      scripts: { scripted: 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 $2' },
      config: { worker: { drain: '10ms' } },
    })
    const held = Promise.withResolvers<string>()
    server.answer = (call) => (call.name === 'look' ? held.promise : 'acted')
    await house.app.worker.start()
    const id = await house.queue('act')
    while ((await server.nextCall()).name !== 'look');
    await house.app.worker.stop()
    server.answer = () => 'looked'
    const other = await house.replica()
    await other.worker.start()
    held.resolve('too late')
    expect(await house.ended(id)).toMatchObject({
      status: 'succeeded',
      outputText: 'acted looked',
      attempts: [{ status: 'lost' }, { status: 'succeeded' }],
    })
    expect(server.effects).toHaveLength(1)
  })

  test('lets runs end when it is stopped and they do so in time', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'call counting__act {}\nsay $1')
    const held = Promise.withResolvers<string>()
    server.answer = () => held.promise
    await house.app.worker.start()
    const id = await house.queue('act')
    await server.nextCall()
    const stopped = house.app.worker.stop()
    held.resolve('done')
    await stopped
    expect(await loadRun(house.app.db, id)).toMatchObject({ status: 'succeeded', attempts: [{ status: 'succeeded' }] })
  })

  test('cancels a run that it does, and one that is only queued', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'call counting__look {}\nsay $1')
    const { app, database } = house
    const queued = await house.queue('act')
    await cancelRun(database.db, queued)
    server.answer = () => new Promise(() => {})
    await app.worker.start()
    const running = await house.queue('act')
    await server.nextCall()
    await cancelRun(database.db, running)
    expect(await house.ended(running)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
    expect(await loadRun(database.db, queued)).toMatchObject({ status: 'cancelled', attempts: [] })
  })

  test('cancels a run also while it is being drained', async () => {
    await using server = await startCountingServer()
    await using house = await open(server, 'call counting__look {}\nsay $1')
    server.answer = () => new Promise(() => {})
    await house.app.worker.start()
    const id = await house.queue('act')
    await server.nextCall()
    const stopped = house.app.worker.stop()
    await cancelRun(house.database.db, id)
    await stopped
    expect(await loadRun(house.database.db, id)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
  })
})
