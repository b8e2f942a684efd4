import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createScheduler } from '../../src/schedules/scheduler.ts'
import { listFires, syncSchedule } from '../../src/store/schedules/fires.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { describeBackends } from '../support/app/backends.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'

const job = (schedule: string) => `
account: reports
model: { provider: openai, name: scripted }
prompt: 'It is {{ fire_time | date: "%F %H:%M" }}.'
schedule: { cron: "* * * * *", timezone: UTC, ${schedule} }
tools:
  labor: { allow: [query] }
`

const MINUTE_MS = 60_000

/** The schedule was last looked at so many minutes before now, at half past a minute. */
async function lookedAt({ app }: TestApp, name: string, now: Date, minutesAgo: number): Promise<void> {
  await syncSchedule(app.db, { job: name, cron: '* * * * *', timezone: 'UTC' }, new Date(now.getTime() - minutesAgo * MINUTE_MS))
}

const halfPast = () => new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS / 2)

const schedulerAt = ({ app }: TestApp, now: Date) =>
  createScheduler({
    db: app.db,
    producer: app.producer,
    jobs: () => app.jobs.jobs(),
    log: pino({ level: 'silent' }),
    now: () => now,
  })

describeBackends('two schedulers and three workers', ({ redisUrl }) => {
  test('make one run of each of 60 fires, one after the other', async () => {
    await using testApp = await buildTestApp({
      redisUrl,
      jobs: { minutely: job('missed: all, overlap: queue') },
      scripts: { scripted: 'say done' },
    })
    const now = halfPast()
    await lookedAt(testApp, 'minutely', now, 60)
    const others = [await testApp.replica(), await testApp.replica()]
    await Promise.all([testApp.app, ...others].map(({ worker }) => worker.start()))
    await Promise.all([schedulerAt(testApp, now).round(), schedulerAt(testApp, now).round()])

    const fires = await listFires(testApp.app.db, 'minutely')
    expect(fires).toHaveLength(60)
    const runIds = fires.map(({ runId }) => runId ?? 'none')
    expect(new Set(runIds).size).toBe(60)
    const runs = await Promise.all(runIds.map((id) => testApp.ended(id)))
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']))
    expect(new Set(runs.map(({ attempts }) => attempts.length))).toEqual(new Set([1]))
    expect(await listRuns(testApp.app.db, {}, { limit: 1000 })).toHaveLength(60)
    const inOrder = runs.toReversed()
    for (const [i, run] of inOrder.entries())
      if (i > 0) expect(Date.parse(run.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(inOrder[i - 1]?.finishedAt ?? ''))
  })
})

test('a fire while an earlier run is not over is skipped, and the reason names that run', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all, overlap: skip') }, scripts: {} })
  const now = halfPast()
  await lookedAt(testApp, 'minutely', now, 3)
  await schedulerAt(testApp, now).round()
  const [third, second, first] = await listFires(testApp.app.db, 'minutely')
  expect(first).toMatchObject({ status: 'run', reason: null })
  expect([second, third]).toMatchObject([
    { status: 'skipped', runId: null, reason: `run ${first?.runId} was not over (overlap: skip)` },
    { status: 'skipped', runId: null },
  ])
})

test('of the fires that were missed, as many run as the policy says, and each other one is kept with its reason', async () => {
  await using testApp = await buildTestApp({
    jobs: { none: job('missed: skip, overlap: queue'), last: job('missed: last, overlap: queue'), all: job('missed: all, overlap: queue') },
    scripts: {},
  })
  const now = halfPast()
  for (const name of ['none', 'last', 'all']) await lookedAt(testApp, name, now, 5)
  await schedulerAt(testApp, now).round()
  const summary = async (name: string) =>
    (await listFires(testApp.app.db, name)).map(({ status, reason }) => (reason === null ? status : `${status}: ${reason.slice(0, 20)}`))
  const missed = 'skipped: missed while no sche'
  // The latest fire is half a minute old, which is not missed.
  expect(await summary('none')).toEqual(['run', missed, missed, missed, missed])
  expect(await summary('last')).toEqual(['run', missed, missed, missed, missed])
  expect(await summary('all')).toEqual(['run', 'run', 'run', 'run', 'run'])
})

test('a new schedule owes nothing from before it was known', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all') }, scripts: {} })
  await schedulerAt(testApp, halfPast()).round()
  expect(await listFires(testApp.app.db, 'minutely')).toEqual([])
})

test('a scheduler can be started and stopped twice', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all') }, scripts: {} })
  const { scheduler } = testApp.app
  await scheduler.start()
  await scheduler.start()
  await scheduler.stop()
  await scheduler.stop()
  expect(await listFires(testApp.app.db, 'minutely')).toEqual([])
})
