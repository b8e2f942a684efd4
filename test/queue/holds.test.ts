import { firstWake } from '../../src/core/ports/wake.ts'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createScheduler } from '../../src/schedules/scheduler.ts'
import { sweep } from '../../src/queue/sweep.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { createRun, type RunRequest } from '../../src/runs/create.ts'
import { query } from '../../src/store/postgres/db.ts'
import { pauseJob, liftPause } from '../../src/store/schedules/pauses.ts'
import { listFires } from '../../src/store/schedules/fires.ts'
import { syncSchedule } from '../../src/store/schedules/progress.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { describeBackends } from '../support/app/backends.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'
import { until } from '../support/until.ts'
import { someone } from '../support/actor.ts'

const job = (more = '') => countingJob({ retry: '{ attempts: 1 }', more })

const scripts = { scripted: 'call counting__act {}\nsay done' }
const silent = pino({ level: 'silent' })

/** Counts how many calls are under way at once, at the server. */
function watchCalls(server: CountingServer): { most: () => number } {
  let now = 0
  let most = 0
  server.answer = async () => {
    most = Math.max(most, ++now)
    // Others would come in meanwhile.
    await fetch(server.url)
    now--
    return 'done'
  }
  return { most: () => most }
}

const sweepNow = ({ app }: TestApp) => sweep({ db: app.db, producer: app.producer, leaseMs: 60_000, concurrencyOf: undefined })

/** Resolves when a worker has held the run back. */
const held = (testApp: TestApp, id: string): Promise<string> => until(async () => (await loadRun(testApp.app.db, id))?.heldBy ?? undefined)

async function ask(testApp: TestApp, name: string, request: Partial<RunRequest> = {}): Promise<string> {
  const found = testApp.app.jobs.jobs().get(name)
  if (!found) throw new Error(`no job ${name}`)
  return createRun(testApp.app.db, found, { trigger: { kind: 'cli' }, ...request })
}

/** Holds the first two calls back until their gates open. */
function holdTwo(server: CountingServer) {
  const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const
  let calls = 0
  server.answer = () => gates[calls++]?.promise ?? 'done'
  return gates
}

/** Queues a run; resolves with its id when it has called. */
async function begun(testApp: TestApp, server: CountingServer, name: string): Promise<string> {
  const called = server.nextCall()
  const id = await testApp.queue(name)
  await called
  return id
}

describeBackends('a limit on runs at a time', ({ redisUrl }) => {
  /** Two runs at a time of the account, and one of the job `two`. */
  const twoPlaces = (server: CountingServer) =>
    buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { one: job(), two: job('concurrency: 1') },
      scripts,
      config: { accounts: { reports: { tokenFile: './reports.token', concurrency: 2 } } },
    })

  test('of a job: 20 runs on three workers, never two at once', async () => {
    await using server = await startCountingServer()
    const { most } = watchCalls(server)
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job('concurrency: 1') }, scripts })
    const others = [await testApp.replica(), await testApp.replica()]
    await Promise.all([testApp.app, ...others].map(({ worker }) => worker.start()))
    const ids = await Promise.all(Array.from({ length: 20 }, () => testApp.queue('act')))
    const runs = await Promise.all(ids.map((id) => testApp.finished(id)))
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']))
    expect(runs.map(({ attempts }) => attempts.length)).toEqual(Array.from({ length: 20 }, () => 1))
    expect([server.effects.length, most()]).toEqual([20, 1])
  })

  test('of a job holds for runs that were asked for under it, also when its file is gone', async () => {
    await using server = await startCountingServer()
    const { most } = watchCalls(server)
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job('concurrency: 1') }, scripts })
    const { app } = testApp
    const ids = [await testApp.queue('act'), await testApp.queue('act'), await testApp.queue('act')]
    rmSync(join(testApp.dir, 'jobs', 'act.yaml'))
    expect(app.jobs.reload()).toBe(true)
    await app.worker.start()
    for (const id of ids) expect(await testApp.finished(id)).toMatchObject({ status: 'succeeded' })
    expect([server.effects.length, most()]).toEqual([3, 1])
  })

  test('of an account: over all its jobs, while another limit of one of them is full', async () => {
    await using server = await startCountingServer()
    const { most } = watchCalls(server)
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { one: job(), two: job('concurrency: 1'), three: job('concurrency: 1') },
      scripts,
      config: { accounts: { reports: { tokenFile: './reports.token', concurrency: 2 } } },
    })
    const other = await testApp.replica()
    await Promise.all([testApp.app, other].map(({ worker }) => worker.start()))
    const ids = await Promise.all(Array.from({ length: 18 }, (_, i) => testApp.queue(['one', 'two', 'three'][i % 3] ?? '')))
    const runs = await Promise.all(ids.map((id) => testApp.finished(id)))
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']))
    expect(server.effects).toHaveLength(18)
    expect(most()).toBeLessThanOrEqual(2)
  })

  test('of an account is not wasted on a run that its own job holds', async () => {
    await using server = await startCountingServer()
    await using testApp = await twoPlaces(server)
    const gates = holdTwo(server)
    await testApp.app.worker.start()
    const ids = [await begun(testApp, server, 'two'), await begun(testApp, server, 'one')]
    for (const name of ['two', 'one']) {
      ids.push(await testApp.queue(name))
      expect(await held(testApp, ids.at(-1) ?? '')).toBe('account reports')
    }
    gates[1].resolve('done')
    // The third cannot take the place that the second leaves.
    for (const id of [ids[1], ids[3]]) expect(await testApp.finished(id ?? '')).toMatchObject({ status: 'succeeded' })
    expect(await loadRun(testApp.app.db, ids[0] ?? '')).toMatchObject({ status: 'running' })
    gates[0].resolve('done')
    for (const id of [ids[0], ids[2]]) expect(await testApp.finished(id ?? '')).toMatchObject({ status: 'succeeded' })
  })

  test('of a job is not forgotten for a more urgent run that the account held', async () => {
    await using server = await startCountingServer()
    await using testApp = await twoPlaces(server)
    const gates = holdTwo(server)
    await testApp.app.worker.start()
    const first = await begun(testApp, server, 'two')
    const behind = await testApp.queue('two')
    expect(await held(testApp, behind)).toBe('job two')
    const second = await begun(testApp, server, 'one')
    const urgent = await ask(testApp, 'one', { priority: 'high' })
    await testApp.app.producer.wake([firstWake(urgent)])
    expect(await held(testApp, urgent)).toBe('account reports')
    // One end frees a place of the job and one of the account: each has somebody who waits for it.
    gates[0].resolve('done')
    for (const id of [first, urgent, behind]) expect(await testApp.finished(id)).toMatchObject({ status: 'succeeded' })
    gates[1].resolve('done')
    expect(await testApp.finished(second)).toMatchObject({ status: 'succeeded' })
  })

  test('lets the more urgent go first among those that it held', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job('concurrency: 1').replace('Do it.', '"{{ run_id }}"') },
      scripts,
    })
    const gate = Promise.withResolvers<string>()
    server.answer = () => gate.promise
    await testApp.app.worker.start()
    const first = await testApp.queue('act')
    await server.nextCall()
    const later: string[] = []
    for (const priority of ['low', 'normal', 'high', 'normal'] as const) later.push(await ask(testApp, 'act', { priority }))
    await testApp.app.producer.wake(later.map((id) => firstWake(id)))
    for (const id of later) expect(await held(testApp, id)).toBe('job act')
    gate.resolve('done')
    for (const id of [first, ...later]) await testApp.finished(id)
    const order = testApp.progress.flatMap(({ event, runId }) => (event === 'finished' ? [runId] : []))
    expect(order).toEqual([first, later[2], later[1], later[3], later[0]])
  })

  test('is not used up for ever by a worker that died', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job('concurrency: 1') }, scripts })
    const { app } = testApp
    const dead = await testApp.write('act')
    // Its worker opened an attempt, and is not heard of again.
    await query(app.db, "update runs set status = 'running', attempts = 1, delivery = 'gone', heartbeat_at = now() where id = $1", [dead])
    await query(
      app.db,
      "insert into attempts (run_id, number, token, worker, conversation, job_version, status) select id, 1, gen_random_uuid(), 'dead', 1, job_version, 'running' from runs where id = $1",
      [dead],
    )
    await app.worker.start()
    const next = await testApp.queue('act')
    expect(await held(testApp, next)).toBe('job act')
    await query(app.db, "update runs set heartbeat_at = now() - interval '2 minutes' where id = $1", [dead])
    await sweepNow(testApp)
    expect(await testApp.finished(dead)).toMatchObject({ status: 'succeeded', attempts: [{ status: 'lost' }, { status: 'succeeded' }] })
    expect(await testApp.finished(next)).toMatchObject({ status: 'succeeded' })
  })

  test('lets the next one go also when a worker ended a run and died before it could say so', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job('concurrency: 1') }, scripts })
    const { app } = testApp
    const gate = Promise.withResolvers<string>()
    server.answer = () => gate.promise
    await app.worker.start()
    const first = await testApp.queue('act')
    await server.nextCall()
    const next = await testApp.queue('act')
    await held(testApp, next)
    await query(app.db, "update runs set held_by = 'job lost' where id = $1", [next])
    gate.resolve('done')
    await testApp.finished(first)
    await query(app.db, "update runs set held_at = now() - interval '1 minute' where id = $1", [next])
    expect(await sweepNow(testApp)).toBe(1)
    expect(await testApp.finished(next)).toMatchObject({ status: 'succeeded' })
  })
})

describeBackends('a pause', ({ redisUrl }) => {
  test.each(['act', '*'])('of %s holds queued runs, and lets them go when it is lifted', async (what) => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job() }, scripts })
    const { app } = testApp
    await pauseJob(app.db, what, someone({ reason: 'the books are closed', name: 'ann' }))
    await app.worker.start()
    const ids = [await testApp.queue('act'), await testApp.queue('act')]
    for (const id of ids) expect(await held(testApp, id)).toBe(`pause ${what}`)
    expect(await sweepNow(testApp)).toBe(0)
    expect(server.methods).toEqual([])
    expect(await liftPause(app.db, what, someone())).toBe(true)
    expect(await liftPause(app.db, what, someone())).toBe(false)
    expect(await sweepNow(testApp)).toBe(2)
    for (const id of ids) expect(await testApp.finished(id)).toMatchObject({ status: 'succeeded', heldBy: null })
    expect(server.effects).toHaveLength(2)
  })

  test('of a job is not lifted by lifting that of everything, and touches no other job', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({ redisUrl, routes: [countingRoute(server)], jobs: { act: job(), other: job() }, scripts })
    const { app } = testApp
    for (const name of ['act', '*']) await pauseJob(app.db, name, someone({ reason: 'why', name: 'ann' }))
    await app.worker.start()
    const [act, other] = [await testApp.queue('act'), await testApp.queue('other')]
    for (const id of [act, other]) await held(testApp, id)
    await liftPause(app.db, '*', someone())
    await sweepNow(testApp)
    expect(await testApp.finished(other)).toMatchObject({ status: 'succeeded' })
    expect(await held(testApp, act)).toBeTruthy()
    expect(await loadRun(app.db, act)).toMatchObject({ status: 'queued', attempts: [] })
    await liftPause(app.db, 'act', someone())
    await sweepNow(testApp)
    expect(await testApp.finished(act)).toMatchObject({ status: 'succeeded' })
  })
})

test.each(['minutely', '*'])('a schedule under a pause of %s skips its fires, and says who paused it and why', async (what) => {
  await using testApp = await buildTestApp({
    jobs: { minutely: job('schedule: { cron: "* * * * *", timezone: UTC, missed: all }').replaceAll('counting', 'labor') },
  })
  const { app } = testApp
  const now = new Date(Math.floor(Date.now() / 60_000) * 60_000 + 30_000)
  await syncSchedule(app.db, { job: 'minutely', cron: '* * * * *', timezone: 'UTC' }, new Date(now.getTime() - 180_000))
  const tickAt = (at: Date) =>
    createScheduler({
      db: app.db,
      producer: app.producer,
      jobs: () => app.jobs.jobs(),
      log: silent,
      now: () => at,
    }).round()
  await pauseJob(app.db, what, someone({ reason: 'the books are closed', name: 'ann' }))
  await tickAt(now)
  await liftPause(app.db, what, someone())
  await tickAt(new Date(now.getTime() + 60_000))
  const fires = await listFires(app.db, 'minutely')
  expect(fires.map(({ status, reason }) => `${status} ${reason ?? ''}`)).toEqual([
    'run ',
    ...Array.from({ length: 3 }, () => 'skipped paused by ann: the books are closed'),
  ])
})

describeBackends('a run with expireAt', ({ redisUrl }) => {
  test('that no worker took by then fails with EXPIRED, does nothing, and is reported', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job('deliver: [{ file: bad, when: notGreen }, { file: new, when: changed }]') },
      scripts,
    })
    const { app } = testApp
    await app.worker.start()
    const id = await ask(testApp, 'act', { expireAt: new Date(Date.now() - 1000) })
    await app.producer.wake([firstWake(id)])
    expect(await testApp.finished(id)).toMatchObject({ status: 'failed', failure: { code: 'EXPIRED' }, attempts: [], turns: [] })
    expect(server.methods).toEqual([])
    const rows = await query(
      app.db,
      "select target->>'dir' as dir, status, ended_at is not null as ended from deliveries where run_id = $1 order by 1",
      [id],
    )
    expect(rows).toEqual([
      { dir: 'bad', status: 'pending', ended: false },
      { dir: 'new', status: 'skipped', ended: true },
    ])
  })

  test('that is cancelled before any worker took it is reported too', async () => {
    await using testApp = await buildTestApp({ redisUrl, jobs: { act: job('deliver: [{ file: bad, when: notGreen }]') } })
    const id = await ask(testApp, 'act', {})
    expect(await cancelRun(testApp.app.db, id, someone())).toBe('cancelled')
    expect(await cancelRun(testApp.app.db, id, someone())).toBe('cancelled')
    const rows = await query(testApp.app.db, "select target->>'dir' as dir, attempt, status from deliveries where run_id = $1", [id])
    expect(rows).toEqual([{ dir: 'bad', attempt: 0, status: 'pending' }])
  })

  test('expires also while a pause or a limit holds it', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job('concurrency: 1'), paused: job() },
      scripts,
    })
    const { app } = testApp
    const gate = Promise.withResolvers<string>()
    server.answer = () => gate.promise
    await pauseJob(app.db, 'paused', someone({ reason: 'why', name: 'ann' }))
    await app.worker.start()
    const first = await testApp.queue('act')
    await server.nextCall()
    const ids = [await testApp.queue('act'), await testApp.queue('paused')]
    for (const id of ids) await held(testApp, id)
    await query(app.db, "update runs set expire_at = now() - interval '1 second' where id = any($1)", [ids])
    expect(await sweepNow(testApp)).toBe(2)
    for (const id of ids) expect(await testApp.finished(id)).toMatchObject({ status: 'failed', failure: { code: 'EXPIRED' } })
    gate.resolve('done')
    expect(await testApp.finished(first)).toMatchObject({ status: 'succeeded' })
  })

  test('that has begun in time does not expire between two attempts', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act: job().replace('attempts: 1', 'attempts: 3, backoff: 10ms') },
      scripts: { scripted: 'fail 500\nfail 500\nfail 500\ncall counting__act {}\nsay done' },
    })
    const { app } = testApp
    const id = await ask(testApp, 'act', { expireAt: new Date(Date.now() + 60_000) })
    const signal = new AbortController().signal
    expect(await app.runner.execute(id, 'first', signal)).toMatchObject({ kind: 'retry' })
    await query(app.db, "update runs set expire_at = now() - interval '1 second', next_attempt_at = now()")
    expect(await app.runner.execute(id, 'second', signal)).toMatchObject({ kind: 'finished', status: 'succeeded' })
  })
})
