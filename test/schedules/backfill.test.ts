import { expect, test } from 'vitest'
import type { Wake } from '../../src/core/ports/wake.ts'
import { createJob, type Job } from '../../src/jobs/job.ts'
import { nextFires } from '../../src/lib/time/cron.ts'
import { jobSchema } from '../../src/jobs/schema.ts'
import { backfill, planBackfill } from '../../src/schedules/backfill.ts'
import { newRun } from '../../src/runs/create.ts'
import { query } from '../../src/store/postgres/db.ts'
import { listFires, recordFires } from '../../src/store/schedules/fires.ts'
import { syncSchedule } from '../../src/store/schedules/progress.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { createTestDatabase } from '../support/database/database.ts'
import { until } from '../support/until.ts'

const jobWith = (schedule: { cron: string; timezone: string; input?: object } | undefined, input?: object): Job =>
  createJob({
    name: 'hourly',
    file: 'hourly.yaml',
    definition: jobSchema.parse({
      account: 'reports',
      model: { provider: 'openai', name: 'm' },
      prompt: 'Go.',
      tools: { labor: { allow: ['query'] } },
      ...(schedule && { schedule }),
      ...(input && { input }),
    }),
  })
const hourly = jobWith({ cron: '0 * * * *', timezone: 'UTC' })
const at = (hour: number, minute = 0) => new Date(Date.UTC(2026, 2, 1, hour, minute))
/** A queue that nobody asks. */
const producer = { wakeSoon: () => {} }
const hours = (fires: readonly Date[]) => fires.map((fire) => fire.getUTCHours())

test('a plan is each fire from the first time up to the second one, and no other', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  expect(hours(await planBackfill(db, hourly, at(3), at(6)))).toEqual([3, 4, 5])
  expect(hours(await planBackfill(db, hourly, at(3, 1), at(6, 1)))).toEqual([4, 5, 6])
  expect(await planBackfill(db, hourly, at(3, 1), at(3, 59))).toEqual([])
  const night = jobWith({ cron: '30 2 * * *', timezone: 'Europe/Paris' })
  const plan = await planBackfill(db, night, new Date('2026-03-28T00:00:00Z'), new Date('2026-03-31T00:00:00Z'))
  expect(plan.map((fire) => fire.toISOString())).toEqual([
    '2026-03-28T01:30:00.000Z',
    '2026-03-29T01:30:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ])
})

test.each([
  { title: 'a job without a schedule', job: jobWith(undefined), from: at(3), to: at(6), says: 'no schedule' },
  { title: 'a time that ends before it begins', job: hourly, from: at(6), to: at(3), says: 'before' },
  { title: 'a time that is empty', job: hourly, from: at(3), to: at(3), says: 'before' },
  { title: 'a time that cannot be read', job: hourly, from: new Date('x'), to: at(3), says: 'before' },
  {
    title: 'a minutely schedule over a week and more',
    job: jobWith({ cron: '* * * * *', timezone: 'UTC' }),
    from: at(0),
    to: at(24 * 8),
    says: 'more than 10000',
  },
  {
    title: 'a minutely schedule over a hundred days',
    job: jobWith({ cron: '* * * * *', timezone: 'UTC' }),
    from: new Date('2025-01-01T00:00:00Z'),
    to: new Date('2025-04-11T00:00:00Z'),
    says: 'more than 10000',
  },
  { title: 'a time that is still to come', job: hourly, from: at(3), to: new Date('9999-01-01T00:00:00Z'), says: 'still to come' },
])('$title cannot be made up for, and nothing is written', async ({ job, from, to, says }) => {
  await using database = await createTestDatabase()
  await expect(planBackfill(database.db, job, from, to)).rejects.toMatchObject({
    code: 'BACKFILL_INVALID',
    message: expect.stringContaining(says),
  })
  expect(await query(database.db, 'select 1 from fires')).toEqual([])
})

test('fires that ran are left, and those that were skipped or never seen get a run each', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await syncSchedule(db, { job: 'hourly', cron: '0 * * * *', timezone: 'UTC' }, at(0))
  const runAt = (hour: number) => newRun(hourly, { trigger: { kind: 'schedule', fireAt: at(hour).toISOString() } })
  const written = await recordFires(db, {
    schedule: { job: 'hourly', cron: '0 * * * *', timezone: 'UTC' },
    fires: [
      { decision: { at: at(3), verdict: 'run', madeUp: false }, run: runAt(3) },
      { decision: { at: at(4), verdict: 'skip', reason: 'paused by ann: why' }, run: undefined },
    ],
    overlap: 'queue',
    definition: hourly.kept,
    until: at(4),
  })
  const plan = await planBackfill(db, hourly, at(3), at(6))
  expect(hours(plan)).toEqual([4, 5])
  const woken: Wake[] = []
  const ids = await backfill({ db, producer: { wakeSoon: (wakes) => woken.push(...wakes) } }, hourly, plan, 'ann')
  expect(ids).toHaveLength(2)
  expect(woken).toEqual(ids.map((id) => ({ id, round: 0, priority: 100, at: undefined })))
  const fires = (await listFires(db, 'hourly')).toReversed()
  expect(fires).toMatchObject([
    { at: at(3), status: 'run', runId: written?.[0]?.runId, reason: null },
    { at: at(4), status: 'run', runId: ids[0], reason: 'backfill' },
    { at: at(5), status: 'run', runId: ids[1], reason: 'backfill' },
  ])
  expect(await loadRun(db, ids[0] ?? '')).toMatchObject({
    status: 'queued',
    requestedBy: 'ann',
    trigger: { kind: 'schedule', fireAt: at(4).toISOString(), backfill: true },
  })
  expect(await query(db, 'select distinct priority from runs where id = any($1)', [ids])).toEqual([{ priority: 100 }])
  expect(await planBackfill(db, hourly, at(3), at(6))).toEqual([])
  expect(await backfill({ db, producer }, hourly, plan, 'ann')).toEqual([])
})

test('backfills at the same time, over times that overlap, make each run once', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const plans = await Promise.all([0, 2, 4, 6].map((from) => planBackfill(db, hourly, at(from), at(from + 12))))
  const made = await Promise.all(plans.map((plan) => backfill({ db, producer }, hourly, plan, 'ann')))
  expect(made.flat()).toHaveLength(18)
  const fires = await listFires(db, 'hourly')
  expect(fires.map(({ runId }) => runId ?? '').toSorted()).toEqual(made.flat().toSorted())
  expect(await query(db, 'select count(*)::int as n from runs')).toEqual([{ n: 18 }])
})

test('the next fires that are shown are those that will fire, also where the clock changes by half an hour', () => {
  const schedule = { cron: '15 2 * * *', timezone: 'Australia/Lord_Howe' }
  expect(nextFires(schedule, new Date('2026-10-02T00:00:00Z'), 3).map((fire) => fire.toISOString())).toEqual([
    '2026-10-02T15:45:00.000Z',
    '2026-10-03T15:45:00.000Z',
    '2026-10-04T15:15:00.000Z',
  ])
})

test('while a large backfill is under way, the schedule of its job goes on', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const minutely = jobWith({ cron: '* * * * *', timezone: 'UTC' })
  const schedule = { job: 'hourly', cron: '* * * * *', timezone: 'UTC' }
  const plan = await planBackfill(db, minutely, at(0), at(10))
  const events: string[] = []
  const fireAt = at(100)
  const run = newRun(minutely, { trigger: { kind: 'schedule', fireAt: fireAt.toISOString() } })
  const fires = [{ decision: { at: fireAt, verdict: 'run', madeUp: false } as const, run }]

  // As a scheduler does at each tick.
  const tick = () => recordFires(db, { schedule, fires, overlap: 'queue', definition: minutely.kept, until: fireAt })

  // Both stand in line for the lock of the job's fires, the backfill first.
  const other = await db.connect()
  await other.query("begin; select pg_advisory_xact_lock(hashtextextended('nightshift fires hourly', 0))")
  const made = backfill({ db, producer: { wakeSoon: () => void events.push('batch') } }, minutely, plan, 'ann')
  const inLine = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  await until(async () => (await query(db, inLine)).length > 0)
  const ticked = until(tick)
  await other.query('rollback')
  other.release()

  expect(await ticked).toMatchObject([{ runId: run.id }])
  events.push('fire')
  expect(await made).toHaveLength(plan.length)
  expect(events.indexOf('fire')).toBeLessThan(events.lastIndexOf('batch'))
})

test('fires are left for the next tick when somebody keeps the lock of the job', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const other = await db.connect()
  await other.query("begin; select pg_advisory_xact_lock(hashtextextended('nightshift fires hourly', 0))")
  const schedule = { job: 'hourly', cron: '0 * * * *', timezone: 'UTC' }
  const run = newRun(hourly, { trigger: { kind: 'schedule', fireAt: at(3).toISOString() } })
  const record = () =>
    recordFires(db, {
      schedule,
      fires: [{ decision: { at: at(3), verdict: 'run', madeUp: false }, run }],
      overlap: 'skip',
      definition: hourly.kept,
      until: at(3),
    })
  expect(await record()).toBeUndefined()
  await other.query('rollback')
  other.release()
  expect(await record()).toMatchObject([{ runId: run.id }])
})

test('runs of a backfill have the input of the schedule', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const regional = jobWith({ cron: '0 * * * *', timezone: 'UTC', input: { region: 'ZH' } }, { type: 'object', required: ['region'] })
  const [id = 'none'] = await backfill({ db, producer }, regional, [at(3)], 'somebody')
  expect(await loadRun(db, id)).toMatchObject({ input: { region: 'ZH' } })
})
