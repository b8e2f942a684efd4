import pc from 'picocolors'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { someone } from '../../../support/actor.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { showStatus } from '../../../../src/cli/commands/service/status.ts'
import type { Status } from '../../../../src/doctor/status.ts'
import { query } from '../../../../src/store/postgres/db.ts'
import { pauseJob } from '../../../../src/store/schedules/pauses.ts'
import { WORK, WORK_SCRIPT } from '../../../support/app/jobs.ts'
import { buildTestApp, type TestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'

const now = new Date('2026-11-28T03:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const CALM: Status = { now, well: true, runs: [], ended: [], reports: { pending: 0, due: 0, oldestS: 0 }, processes: [], duties: [], fires: [], pauses: [], stands: [] } // prettier-ignore
const show = (status: Partial<Status>) => showStatus({ ...CALM, ...status }, { colors: pc.createColors(false), columns: 80 })

const TROUBLED: Partial<Status> = {
  well: false,
  runs: [
    { status: 'queued', held: false, runs: 12, oldestS: 840 },
    { status: 'queued', held: true, runs: 2, oldestS: 7200 },
    { status: 'running', held: false, runs: 1, oldestS: 30 },
  ],
  ended: [
    { status: 'succeeded', runs: 940 },
    { status: 'failed', runs: 3 },
  ],
  reports: { pending: 3, due: 1, oldestS: 4000 },
  processes: [
    {
      name: 'night-7d9f:1:a1b2',
      role: 'worker',
      version: '0.9.0',
      startedAt: minutesAgo(4320),
      seenAt: minutesAgo(0),
      alive: true,
      skewMs: 3_600_000,
    },
    {
      name: 'night-5c4d:1:c3d4',
      role: 'scheduler',
      version: '0.9.0',
      startedAt: minutesAgo(90),
      seenAt: minutesAgo(35),
      alive: false,
      skewMs: 0,
    },
  ],
  duties: [
    { duty: 'heartbeat', processes: 1, succeededAt: minutesAgo(0), fault: null },
    { duty: 'outbox', processes: 1, succeededAt: minutesAgo(20), fault: 'late' },
    { duty: 'consent', processes: 1, succeededAt: null, fault: 'failing' },
  ],
  fires: [
    { job: 'daily-report', at: minutesAgo(60), status: 'run', runId: 'run_01JZ8', reason: null },
    { job: 'weekly', at: minutesAgo(3000), status: 'skipped', runId: null, reason: 'the run of the fire before is not over\u001b[2J' },
  ],
  pauses: [{ job: 'weekly', reason: 'the data move', pausedBy: 'ann', pausedAt: '2026-11-27T00:00:00Z' }],
  stands: [
    { check: 'processes', status: 'warning', message: 'No scheduler is at work.', cure: 'nightshift start --only scheduler' },
    {
      check: 'duties',
      status: 'failed',
      message: 'outbox has not ended a round.',
      cure: 'See what its log says last, and start that process again.',
    },
  ],
}

test('one screen: counts, processes, duties, fires, and last what somebody must look at', () => {
  expect(show(TROUBLED)).toMatchInlineSnapshot(`
    "runs       12 queued, the oldest 14 min; 2 held, the oldest 2 h; 1 running, the 
               oldest 30 s
    last day   940 succeeded, 3 failed
    reports    3 to send, 1 due, the oldest 67 min
    paused     weekly is paused by ann: the data move. Lift it with: nightshift 
               resume weekly

    process            role       version  age
    night-7d9f:1:a1b2  worker     0.9.0    3 d  clock 3600 s ahead of the store’s
    night-5c4d:1:c3d4  scheduler  0.9.0    2 h  last heard of 35 min ago

    duty       processes  last done
    heartbeat          1  0 s ago
    outbox             1  20 min ago  late
    consent            1  never       failing

    last fire of  at          came to
    daily-report  60 min ago  run_01JZ8
    weekly        2 d ago     skipped: the run of the fire befor…

    ! processes: No scheduler is at work.
        nightshift start --only scheduler
    ✗ duties: outbox has not ended a round.
        See what its log says last, and start that process again."
  `)
})

test('with nothing there, no table is shown', () => {
  expect(show({})).toMatchInlineSnapshot(`
    "runs       none
    last day   none
    reports    none

    Nothing stands that should not."
  `)
})

test('of very many processes, a screenful is shown', () => {
  const processes = Array.from({ length: 60 }, (_, i) => ({
    name: `h:${i}`,
    role: 'worker',
    version: '1',
    startedAt: now,
    seenAt: now,
    alive: i < 30,
    skewMs: null,
  }))
  const lines = show({ processes }).split('\n')
  expect(lines.filter((line) => line.startsWith('h:'))).toHaveLength(25)
  expect(lines).toContain('and 35 more')
})

const status = ({ world }: TestApp, ...args: readonly string[]) => command(['-c', world.configFile, 'status', ...args])
const shapeSchema = z.object({ well: z.boolean(), stands: z.array(z.object({ check: z.string(), message: z.string() })) })
const statusOf = async (testApp: TestApp) => {
  const { code, out } = await status(testApp, '--json')
  const { well, stands } = shapeSchema.parse(JSON.parse(out))
  expect(well).toBe(code === 0)
  return { code, stands }
}

test('exit code 1 while nothing is at work, 0 once all is well, and 1 again when something stands', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { app, database } = testApp
  expect(await statusOf(testApp)).toEqual({ code: 1, stands: [{ check: 'processes', message: 'No process of Nightshift is at work.' }] })
  await Promise.all([app.worker.start(), app.scheduler.start()])
  const presence = app.createPresence('all')
  await presence.start()
  await presence.round()
  expect(await statusOf(testApp)).toEqual({ code: 0, stands: [] })
  // A pause is meant: it is shown, and no reason to wake anybody.
  await pauseJob(database.db, 'work', someone({ reason: 'the data move' }))
  const { code, out } = await status(testApp)
  expect({ code, paused: out.split('\n').find((line) => line.startsWith('paused')) }).toEqual({
    code: 0,
    paused: 'paused     work is paused by ann: the data move. Lift it with: nightshift resume work',
  })
  await query(database.db, "insert into bad_rows (duty, row_key, reason) values ('match', 'x', 'odd')")
  expect(await statusOf(testApp)).toEqual({
    code: 1,
    stands: [{ check: 'rows', message: 'match could not handle 1 row of the store in the last two days.' }],
  })
})

test('job files with faults, or that are gone, are named, and the rest is shown all the same', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK } })
  writeFileSync(join(testApp.dir, 'jobs', 'bad.yaml'), 'nonsense: true\n')
  expect((await statusOf(testApp)).stands).toMatchObject([
    { check: 'processes' },
    { check: 'jobs', message: expect.stringMatching(/bad\.yaml:1/) },
  ])
  rmSync(join(testApp.dir, 'jobs'), { recursive: true })
  expect((await statusOf(testApp)).stands).toMatchObject([
    { check: 'processes' },
    { check: 'jobs', message: expect.stringMatching(/cannot be read/) },
  ])
})
