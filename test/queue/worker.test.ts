import { pino } from 'pino'
import { DelayedError, type Job } from 'bullmq'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import type { QueueBackend, RunData } from '../../src/queue/backend.ts'
import { createRunWorker } from '../../src/queue/worker.ts'
import { describeBackends, queueEntries } from '../support/app/backends.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'
import { someone } from '../support/actor.ts'

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
    await cancelRun(database.db, queued, someone())
    server.answer = () => new Promise(() => {})
    await app.worker.start()
    const running = await testApp.queue('act')
    await server.nextCall()
    await cancelRun(database.db, running, someone())
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
    await cancelRun(testApp.database.db, id, someone())
    await stopped
    expect(await loadRun(testApp.database.db, id)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
  })
})

describe('a queue that hangs, at whichever moment,', () => {
  afterEach(() => vi.useRealTimers())
  const never = Promise.race<never>([])

  /** A worker whose queue answers as it is told, and whose runs all wait for another one. */
  function openWorker(waitUntilReady: () => Promise<never>) {
    const started = Promise.withResolvers<Parameters<QueueBackend['worker']>[0]>()
    const backend: QueueBackend = {
      kind: 'redis',
      queue: () => {
        throw new Error('a worker adds nothing')
      },
      worker(process) {
        started.resolve(process)
        return { on() {}, closing: undefined, close: async () => {}, run: async () => {}, waitUntilReady }
      },
      check: async () => {},
      close: async () => {},
    }
    const log = pino({ level: 'silent' })
    // oxlint-disable-next-line no-unsafe-type-assertion -- no run is under way, so nothing is asked of the store
    const beats = {} as Db
    const worker = createRunWorker({
      beats,
      backend,
      producer: { wake: async () => {}, wakeSoon() {} },
      runner: { execute: async () => ({ kind: 'busy' }) },
      name: 'one',
      concurrency: 1,
      lockMs: 60_000,
      drainMs: () => 0,
      log,
    })
    return { worker, process: started.promise }
  }

  test('keeps no worker from saying that it cannot begin', async () => {
    vi.useFakeTimers()
    const { worker } = openWorker(() => never)
    const begun = expect(worker.start()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await vi.advanceTimersByTimeAsync(30_000)
    await begun
    await worker.stop()
  })

  test('or refuses, is told as that', async () => {
    const { worker } = openWorker(() => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:5432')))
    await expect(worker.start()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
    await worker.stop()
  })

  test('keeps no slot with a run that is to be looked at later', async () => {
    vi.useFakeTimers()
    const { worker, process } = openWorker(() => never)
    worker.start().catch(() => {})
    // oxlint-disable-next-line no-unsafe-type-assertion -- the part of a job that is read
    const entry = { id: 'run_1', data: { runId: 'run_1' }, moveToDelayed: () => never } as unknown as Job<RunData, string>
    const ended = expect((await process)(entry, 'token')).rejects.toBeInstanceOf(DelayedError)
    await vi.advanceTimersByTimeAsync(5000)
    await ended
    await worker.stop()
  })
})
