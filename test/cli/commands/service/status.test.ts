import pc from 'picocolors'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { someone } from '../../../support/actor.ts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { showStatus } from '../../../../src/cli/commands/service/status.ts'
import type { Status, WholeStatus } from '../../../../src/doctor/status/status.ts'
import { query } from '../../../../src/store/postgres/db.ts'
import { pauseJob } from '../../../../src/store/schedules/pauses.ts'
import { WORK, WORK_SCRIPT } from '../../../support/app/jobs.ts'
import { buildTestApp, type TestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { CALM, minutes, pause, WHOLE } from '../../../support/cli/status.ts'

const show = (status: Partial<Status>, whole: Partial<WholeStatus> = {}) =>
  showStatus({ ...CALM, ...status, whole: { ...WHOLE, ...whole } }, { colors: pc.createColors(false), columns: 80 })

const PROCESS = {
  role: 'worker',
  version: '0.9.0',
  slots: 4,
  startedAt: minutes(-4320),
  seenAt: minutes(0),
  heardAgoMs: 3000,
  alive: true,
  skewMs: 0,
  runs: 1,
  config: null,
}

test('one screen: a line for each thing, processes, fires, and last what somebody must look at', () => {
  const troubled: Partial<Status> = {
    well: false,
    workers: { ...CALM.workers, atWork: 1, runs: 1, slots: 4, versions: ['0.9.0'], heardAgoMs: 3000 },
    scheduler: { atWork: 1, lookedAt: minutes(0) },
    pauses: [pause('weekly')],
    runs: [{ state: 'due', heldBy: null, runs: 12, oldestS: 840.2, nextAt: null }],
    ended: {
      runs: [
        { status: 'succeeded', code: null, runs: 40 },
        { status: 'failed', code: 'MODEL_AUTH', runs: 3 },
      ],
      isCut: false,
    },
    underWay: [
      { id: 'run_019a3f2e-0000-7000-8000-00000000abcd', job: 'daily', worker: 'night-7d9f:1:a1b2', startedAt: minutes(-4), attempt: 2 },
    ],
    fires: [
      { job: 'daily', at: minutes(-60), status: 'run', runId: 'run_01JZ8', reason: null },
      { job: 'weekly', at: minutes(-3000), status: 'skipped', runId: null, reason: 'the run of the fire before is not over\u001b[2J' },
    ],
    next: [{ job: 'daily', at: minutes(52), timezone: 'Europe/Zurich', paused: false }],
  }
  const whole: Partial<WholeStatus> = {
    processes: [
      { ...PROCESS, name: 'night-7d9f:1:a1b2', skewMs: 3_600_000 },
      {
        ...PROCESS,
        name: 'night-5c4d:1:c3d4',
        role: 'scheduler',
        slots: null,
        runs: 0,
        startedAt: minutes(-90),
        seenAt: minutes(-35),
        heardAgoMs: 35 * 60_000,
        alive: false,
      },
    ],
    duties: [{ duty: 'outbox', processes: 1, succeededAt: minutes(-20), fault: 'late' }],
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
  expect(show(troubled, whole)).toMatchInlineSnapshot(`
    "state      at work
    workers    1 at work, heard of 3 s ago, 1 of 4 slots taken, version 0.9.0
    scheduler  1 at work, looked 0 s ago
    runs       12 due, the oldest for 14 min
    last hour  40 succeeded; 3 failed (3 MODEL_AUTH)
    next fires daily in 52 min (2026-11-28 04:52 Europe/Zurich)
    config     none is in force
    duties     1 of 1 are not done: outbox is late
    reports    none to send
    suspects   none
    paused     weekly is paused by ann since 2026-11-27 22:10 UTC: the data move. 
               Lift it with: nightshift resume weekly

    process            role       version  runs    age
    night-7d9f:1:a1b2  worker     0.9.0    1 of 4  3 d  clock 60 min ahead
    night-5c4d:1:c3d4  scheduler  0.9.0            2 h  silent, heard of 35 min ago

    under way  job    worker             attempt  for
    …0000abcd  daily  night-7d9f:1:a1b2  2        4 min

    last fire of  at          came to
    daily         60 min ago  run_01JZ8
    weekly        2 d ago     skipped: the run of the fire before is …

    ! processes: No scheduler is at work.
        nightshift start --only scheduler
    ✗ duties: outbox has not ended a round.
        See what its log says last, and start that process again."
  `)
})

test('with nothing there, no table is shown', () => {
  expect(show({})).toMatchInlineSnapshot(`
    "state      nothing is at work; nightshift start begins it
    workers    none
    scheduler  none
    runs       none
    last hour  no run ended
    next fires none
    config     none is in force
    duties     none
    reports    none to send
    suspects   none

    Nothing stands that should not."
  `)
})

test('of very many processes, a screenful is shown', () => {
  const processes = Array.from({ length: 60 }, (_, i) => ({ ...PROCESS, name: `h:${i}`, alive: i < 30 }))
  const lines = show({}, { processes }).split('\n')
  expect(lines.filter((line) => line.startsWith('h:'))).toHaveLength(25)
  expect(lines).toContain('and 35 more')
})

const status = ({ world }: TestApp, ...args: readonly string[]) => command(['-c', world.configFile, 'status', ...args])
const shapeSchema = z.object({
  well: z.boolean(),
  whole: z.object({ stands: z.array(z.object({ check: z.string(), message: z.string() })) }),
})
const statusOf = async (testApp: TestApp) => {
  const { code, out } = await status(testApp, '--json')
  const { well, whole } = shapeSchema.parse(JSON.parse(out))
  expect(well).toBe(code === 0)
  return { code, stands: whole.stands }
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
    paused: expect.stringMatching(
      /^paused     work is paused by ann since \S+ \S+ UTC: the data move\. Lift it with: nightshift resume work$/,
    ),
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

test('without a key of evidence it says what to type, and is content once that is done', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK } })
  const checkpoint = testApp.app.upkeep.duties.find((duty) => duty.state().name === 'checkpoint')
  await checkpoint?.start()
  const presence = testApp.app.createPresence('all')
  const at = (...args: string[]) => command(['-c', testApp.world.configFile, ...args])
  const look = async () => {
    await checkpoint?.round()
    await presence.round()
    return (await at('status')).out
  }
  const said = /nightshift\s+evidence\s+key\s+create/
  expect(await look()).toMatch(said)
  const examined = (await at('doctor')).out
  expect(examined).toMatch(said)
  expect(examined.match(/^\S duties: /gm)).toEqual(['✗ duties: '])
  expect(await at('evidence', 'key', 'create')).toMatchObject({ code: 0 })
  expect(await look()).not.toMatch(/checkpoint|evidence/)
})
