import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Job } from '../../src/jobs/job.ts'
import { createScheduler } from '../../src/schedules/scheduler.ts'
import { query } from '../../src/store/postgres/db.ts'
import { listFires } from '../../src/store/schedules/fires.ts'
import { syncSchedule } from '../../src/store/schedules/progress.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { describeBackends } from '../support/app/backends.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'

const job = (schedule: string) => `
account: reports
model: { provider: openai, name: scripted }
prompt: 'It is {{ fire_time | date: "%F %H:%M" }}.'
schedule: { cron: "* * * * *", timezone: UTC, ${schedule} }
tools:
  labor: { allow: [query], minCalls: 0 }
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
  // Each run ends before the next begins: it takes as long as the machine needs.
  test('make one run of each of 60 fires, one after the other', { timeout: 300_000 }, async () => {
    await using testApp = await buildTestApp({
      redisUrl,
      jobs: { minutely: job('missed: all, overlap: queue') },
      scripts: { scripted: 'say done' },
    })
    const now = halfPast()
    await lookedAt(testApp, 'minutely', now, 60)
    const others = [await testApp.replica(), await testApp.replica()]
    // The queue may take longer than a wake waits for it: the sweep makes up for that.
    await Promise.all([testApp.app, ...others].flatMap(({ worker, sweeper }) => [worker.start(), sweeper.start()]))
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
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: last, overlap: skip') }, scripts: {} })
  const now = halfPast()
  await lookedAt(testApp, 'minutely', now, 1)
  await schedulerAt(testApp, now).round()
  await schedulerAt(testApp, new Date(now.getTime() + MINUTE_MS)).round()
  const [second, first] = await listFires(testApp.app.db, 'minutely')
  expect(first).toMatchObject({ status: 'run', reason: null })
  expect(second).toMatchObject({ status: 'skipped', runId: null, reason: `run ${first?.runId} was not over (overlap: skip)` })
})

test('all fires that were missed are made up for one after the other, though overlap is skip; the next one is skipped', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all, overlap: skip') }, scripts: {} })
  const now = halfPast()
  await lookedAt(testApp, 'minutely', now, 4)
  await schedulerAt(testApp, now).round()
  const fires = (await listFires(testApp.app.db, 'minutely')).toReversed()
  expect(fires.map(({ status }) => status)).toEqual(['run', 'run', 'run', 'skipped'])
  const after = await query(testApp.app.db, 'select after_run from runs order by id')
  expect(after).toEqual([{ after_run: null }, { after_run: fires[0]?.runId }, { after_run: fires[1]?.runId }])
  expect(fires[3]?.reason).toBe(`run ${fires[2]?.runId} was not over (overlap: skip)`)
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

test('a new schedule has no due fires from before it was first seen', async () => {
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

/** A job of another version of its file. */
function withSchedule(
  { app }: TestApp,
  name: string,
  change: Partial<NonNullable<Job['definition']['schedule']>>,
): ReadonlyMap<string, Job> {
  const found = app.jobs.jobs().get(name)
  if (!found?.definition.schedule) throw new Error(`no schedule of ${name}`)
  return new Map([[name, { ...found, definition: { ...found.definition, schedule: { ...found.definition.schedule, ...change } } }]])
}

/** A scheduler whose clock and jobs the test sets. */
function steered({ app }: TestApp, at: { now: Date; jobs: ReadonlyMap<string, Job> }) {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  const scheduler = createScheduler({ db: app.db, producer: app.producer, jobs: () => at.jobs, log, now: () => at.now })
  return { lines, round: () => scheduler.round() }
}

const at = (hour: number, minute = 0, second = 1) => new Date(Date.UTC(2026, 2, 2, hour, minute, second))
const timesOf = async ({ app }: TestApp) =>
  (await listFires(app.db, 'minutely', 1000)).map(({ at: fireAt }) => fireAt.toISOString().slice(11, 16)).toSorted()

test('two replicas with different crons of a job both fire, each all of its own fires, and say that they differ', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('overlap: queue') }, scripts: {} })
  const clocks = ['0 * * * *', '30 * * * *'].map((cron) => ({ now: at(0), jobs: withSchedule(testApp, 'minutely', { cron }) }))
  const schedulers = clocks.map((clock) => steered(testApp, clock))
  for (let minute = 0; minute <= 24 * 60; minute += 30) {
    for (const clock of clocks) clock.now = at(0, minute)
    for (const { round } of schedulers) await round()
  }
  expect(await timesOf(testApp)).toHaveLength(48)
  expect(new Set(await timesOf(testApp)).size).toBe(48)
  expect(schedulers.flatMap(({ lines }) => lines.filter((line) => line.includes('Another scheduler has another schedule')))).not.toEqual([])
})

test('a change of a cron that reaches the replicas one after the other loses no fire of the new one', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('overlap: queue') }, scripts: {} })
  const before = withSchedule(testApp, 'minutely', { cron: '0 * * * *' })
  const after = withSchedule(testApp, 'minutely', { cron: '30 7,10 * * *' })
  const [old, fresh] = [
    { now: at(9, 59), jobs: before },
    { now: at(9, 59), jobs: before },
  ]
  const [first, second] = [steered(testApp, old), steered(testApp, fresh)]
  const step = async (now: Date) => {
    old.now = now
    fresh.now = now
    await first.round()
    await second.round()
  }
  await step(at(9, 59, 50))
  fresh.jobs = after
  await step(at(9, 59, 55))
  await step(at(10, 0, 1))
  old.jobs = after
  await step(at(10, 0, 15))
  await step(at(10, 30, 1))
  await step(at(11, 0, 1))
  expect(await timesOf(testApp)).toEqual(['10:00', '10:30'])
})

/** So long ago, for the schedule and for those who look at it. */
const wasSeen = ({ app }: TestApp, days: number) =>
  query(
    app.db,
    'update schedule_progress set seen_at = seen_at - make_interval(days => $1), decided_until = decided_until - make_interval(days => $1)',
    [days],
  )
const schedulersRanSince = ({ app }: TestApp, days: number) =>
  query(app.db, 'update scheduler_presence set up_since = up_since - make_interval(days => $1)', [days])
const schedulersStoppedSince = ({ app }: TestApp, days: number) =>
  query(
    app.db,
    'update scheduler_presence set alive_at = alive_at - make_interval(days => $1), up_since = up_since - make_interval(days => $1 + 30)',
    [days],
  )

test('a schedule whose file was removed for a while, with schedulers at work, has no due fires from that time when it is back', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all') }, scripts: {} })
  const now = halfPast()
  await schedulerAt(testApp, now).round()
  await wasSeen(testApp, 90)
  await schedulersRanSince(testApp, 120)
  await schedulerAt(testApp, now).round()
  expect(await listFires(testApp.app.db, 'minutely')).toEqual([])
})

test('the same holds for one that was removed when the schedulers stopped and is back when they start', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all') }, scripts: {} })
  const now = halfPast()
  await schedulerAt(testApp, now).round()
  await wasSeen(testApp, 90)
  await schedulersStoppedSince(testApp, 2)
  await schedulerAt(testApp, now).round()
  expect(await listFires(testApp.app.db, 'minutely')).toEqual([])
})

test('fires while no scheduler ran count as missed: a hundred are made up for, and a longer outage writes no more rows', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: all') }, scripts: {} })
  const now = halfPast()
  await schedulerAt(testApp, now).round()
  await wasSeen(testApp, 60)
  await schedulersStoppedSince(testApp, 60)
  await schedulerAt(testApp, now).round()
  const fires = await listFires(testApp.app.db, 'minutely', 1000)
  expect(fires.filter(({ status }) => status === 'run')).toHaveLength(100)
  expect(fires).toHaveLength(201)
  expect(fires.at(-1)).toMatchObject({ status: 'skipped', reason: expect.stringContaining('so were more than 999 later fires') })
})

test('a job that needs an input skips its fires with the reason, and says so once a fire', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: last') }, scripts: {} })
  const found = testApp.app.jobs.jobs().get('minutely')
  if (!found) throw new Error('no job')
  const input = { type: 'object', required: ['region'] }
  const clock = { now: at(0), jobs: new Map([['minutely', { ...found, definition: { ...found.definition, input } }]]) }
  const { lines, round } = steered(testApp, clock)
  for (let second = 0; second <= 180; second++) {
    clock.now = at(0, 0, second + 1)
    await round()
  }
  const fires = await listFires(testApp.app.db, 'minutely')
  expect(fires.map(({ status }) => status)).toEqual(['skipped', 'skipped', 'skipped'])
  expect(fires[0]?.reason).toContain('the job cannot run by itself: without an input')
  expect(fires[0]?.reason).toContain('region')
  expect(lines).toHaveLength(3)
})

test('a schedule that cannot be decided is tried again at growing intervals', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: last') }, scripts: {} })
  const clock = { now: at(0), jobs: testApp.app.jobs.jobs() }
  const { lines, round } = steered(testApp, clock)
  await query(testApp.app.db, 'alter table schedule_progress rename to elsewhere')
  for (let second = 1; second <= 120; second++) {
    clock.now = at(0, 0, second)
    await round()
  }
  expect(lines.filter((line) => line.includes('is tried again')).length).toBeLessThan(10)
  await query(testApp.app.db, 'alter table elsewhere rename to schedule_progress')
  clock.now = at(0, 10)
  await round()
  clock.now = at(0, 11)
  await round()
  expect(await timesOf(testApp)).toEqual(['00:11'])
})

test('a clock that was ahead for a moment costs no fires once it is right again', async () => {
  await using testApp = await buildTestApp({ jobs: { minutely: job('missed: last') }, scripts: {} })
  const clock = { now: at(8), jobs: testApp.app.jobs.jobs() }
  const { lines, round } = steered(testApp, clock)
  await round()
  clock.now = new Date(at(8).getTime() + 400 * 86_400_000)
  await round()
  const ahead = (await listFires(testApp.app.db, 'minutely', 1000)).length
  clock.now = at(8, 1)
  await round()
  clock.now = at(8, 2)
  await round()
  expect(lines.filter((line) => line.includes('decided by a clock that was ahead'))).toHaveLength(1)
  expect((await listFires(testApp.app.db, 'minutely', 1000)).length).toBe(ahead + 1)
})

test('a schedule with an input makes runs with it, and none when it does not fit', async () => {
  const input = 'input: { type: object, required: [region], properties: { region: { type: string } } }'
  await using testApp = await buildTestApp({ jobs: { local: job('missed: last, input: { region: ZH }') + input } })
  const now = halfPast()
  await lookedAt(testApp, 'local', now, 1)
  await schedulerAt(testApp, now).round()
  const [fire] = await listFires(testApp.app.db, 'local')
  expect(await loadRun(testApp.app.db, fire?.runId ?? 'none')).toMatchObject({ input: { region: 'ZH' }, trigger: { kind: 'schedule' } })

  // A file of another version.
  Object.assign(testApp.app.jobs.jobs().get('local')?.definition.schedule ?? {}, { input: { region: 7 } })
  const later = new Date(now.getTime() + 2 * MINUTE_MS)
  await schedulerAt(testApp, later).round()
  const [latest] = await listFires(testApp.app.db, 'local')
  expect(latest).toMatchObject({ status: 'skipped', reason: expect.stringContaining('with the input of its schedule') })
})
