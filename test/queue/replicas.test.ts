import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { App } from '../../src/app/app.ts'
import { createScheduler } from '../../src/schedules/scheduler.ts'
import { query } from '../../src/store/postgres/db.ts'
import { pauseJob, liftPause } from '../../src/store/schedules/pauses.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { listFires } from '../../src/store/schedules/fires.ts'
import { syncSchedule } from '../../src/store/schedules/progress.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { describeBackends } from '../support/app/backends.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'
import { someone } from '../support/actor.ts'

const MINUTE_MS = 60_000
const MINUTES = 30

const ACT = { tools: 'counting: { allow: [act] }' }
const minutely = (prompt: string) =>
  countingJob({ ...ACT, prompt: `'${prompt}'`, more: 'schedule: { cron: "* * * * *", timezone: UTC, missed: all, overlap: queue }' })
const act = countingJob({ ...ACT, retry: '{ attempts: 1 }' })

describeBackends('replicas', ({ redisUrl }) => {
  test('make each fire once while job files change, replica by replica, and schedules pause and resume', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { minutely: minutely('one') },
      scripts: { scripted: 'call counting__act {}\nsay done' },
    })
    const apps = [testApp.app, await testApp.replica(), await testApp.replica()]
    await Promise.all(apps.map(({ worker }) => worker.start()))
    // What a pause held goes on by the sweep.
    await testApp.app.sweeper.start()
    const base = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
    await syncSchedule(testApp.app.db, { job: 'minutely', cron: '* * * * *', timezone: 'UTC' }, new Date(base))
    let now = new Date(base)
    const schedulerOf = ({ db, producer, jobs }: App) =>
      createScheduler({
        db,
        producer,
        jobs: () => jobs.jobs(),
        log: pino({ level: 'silent' }),
        now: () => now,
      })
    const schedulers = apps.slice(0, 2).map(schedulerOf)
    const change = (prompt: string) => writeFileSync(join(testApp.dir, 'jobs/minutely.yaml'), minutely(prompt))
    const steps: Record<number, () => unknown> = {
      3: () => change('two'),
      4: () => apps[0]?.jobs.reload(),
      6: () => apps[1]?.jobs.reload(),
      8: () => pauseJob(testApp.app.db, 'minutely', someone({ reason: 'closed', name: 'ann' })),
      12: () => liftPause(testApp.app.db, 'minutely', someone()),
      14: () => change('three: ['),
      15: () => writeFileSync(join(testApp.dir, 'jobs/bad.yaml'), 'account: ['),
      16: () => apps.map(({ jobs }) => jobs.reload()),
      18: () => pauseJob(testApp.app.db, '*', someone({ reason: 'all closed', name: 'bob' })),
      20: () => liftPause(testApp.app.db, '*', someone()),
    }
    for (let minute = 1; minute <= MINUTES; minute++) {
      now = new Date(base + minute * MINUTE_MS + 1000)
      await steps[minute]?.()
      await Promise.all(schedulers.map((scheduler) => scheduler.round()))
    }

    const fires = (await listFires(testApp.app.db, 'minutely')).toReversed()
    expect(fires.map(({ at }) => at.getTime())).toEqual(Array.from({ length: MINUTES }, (_, i) => base + (i + 1) * MINUTE_MS))
    const skipped = fires.flatMap(({ at, status, reason }) =>
      status === 'skipped' ? [`${(at.getTime() - base) / MINUTE_MS} ${reason}`] : [],
    )
    expect(skipped).toEqual([
      ...[8, 9, 10, 11].map((minute) => `${minute} paused by ann: closed`),
      ...[18, 19].map((minute) => `${minute} paused by bob: all closed`),
    ])
    const runIds = fires.flatMap(({ runId }) => (runId === null ? [] : [runId]))
    const runs = await Promise.all(runIds.map((id) => testApp.finished(id)))
    expect(runs.map(({ status, attempts }) => `${status} ${attempts.length}`)).toEqual(runs.map(() => 'succeeded 1'))
    expect(server.effects).toHaveLength(MINUTES - skipped.length)
    expect(await query(testApp.app.db, 'select count(*)::int as n from runs')).toEqual([{ n: runIds.length }])
    // The version that was asked with, also where the replicas did not agree yet; a file with a fault changes nothing.
    const versions = runs.map(({ jobVersion }) => jobVersion)
    expect(new Set(versions.slice(0, 3)).size).toBe(1)
    expect(new Set(versions.slice(5)).size).toBe(1)
    expect(new Set(versions).size).toBe(2)
    expect(apps.map(({ jobs }) => jobs.issues().length)).toEqual([1, 1, 1])
  })

  test('cancel runs in whichever process does them, without waiting for the tool', async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { act },
      scripts: { scripted: 'call counting__act {}\nsay done' },
      config: { worker: { concurrency: 1 } },
    })
    const apps = [testApp.app, await testApp.replica(), await testApp.replica()]
    await Promise.all(apps.map(({ worker }) => worker.start()))
    const hungUp: Promise<unknown>[] = []
    const all = Promise.withResolvers<undefined>()
    server.answer = (_, req, res) => {
      hungUp.push(once(res, 'close'))
      if (hungUp.length === apps.length) all.resolve(undefined)
      return undefined
    }
    const ids = await Promise.all(apps.map(() => testApp.queue('act')))
    await all.promise
    const workers = await query<{ worker: string }>(testApp.app.db, 'select distinct worker from attempts where finished_at is null')
    expect(workers).toHaveLength(apps.length)
    const queued = await testApp.queue('act')
    expect(await Promise.all([...ids, queued].map((id) => cancelRun(testApp.app.db, id, someone())))).toEqual([
      'running',
      'running',
      'running',
      'cancelled',
    ])
    for (const id of ids)
      expect(await testApp.finished(id)).toMatchObject({
        status: 'cancelled',
        failure: { code: 'CANCELLED' },
        attempts: [{ status: 'cancelled' }],
      })
    await Promise.all(hungUp)
    // Every worker is free again.
    server.answer = () => 'done'
    for (const run of await Promise.all((await Promise.all(apps.map(() => testApp.queue('act')))).map((id) => testApp.finished(id))))
      expect(run.status).toBe('succeeded')
    expect(await loadRun(testApp.app.db, queued)).toMatchObject({ status: 'cancelled', attempts: [] })
  })
})
