import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ALL_JOBS } from '../../src/core/rules/schedules/pause.ts'
import { query } from '../../src/store/postgres/db.ts'
import { listProcesses, noteProcess } from '../../src/store/processes.ts'
import { hold } from '../../src/store/runs/holds.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { pauseJob } from '../../src/store/schedules/pauses.ts'
import { countEnded, countOpen, listFailingReports, listUnderWay } from '../../src/store/status.ts'
import { someone } from '../support/actor.ts'
import { endCancelled, endedRun, opened, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => query(database.db, 'truncate runs, pauses, processes cascade'))

const states = async (jobs?: readonly string[]) =>
  Object.fromEntries((await countOpen(database.db, jobs)).map(({ state, heldBy, runs }) => [heldBy ? `${state} ${heldBy}` : state, runs]))

test('each run that is not over is counted once, by what it waits for', async () => {
  const { db } = database
  await writeRun(db)
  await writeRun(db, { job: 'other' })
  const running = await writeRun(db)
  await opened(db, running)
  await writeRun(db, { afterRun: running })
  const waiting = await writeRun(db)
  await suspendRun(db, await opened(db, waiting), waitingForShop)
  for (const by of ['job work', 'account reports']) await hold(db, await writeRun(db), { by, obstacle: null })
  const later = await writeRun(db)
  await query(db, "update runs set next_attempt_at = now() + interval '1 day' where id = $1", [later])
  await endCancelled(db, await writeRun(db))
  expect(await states()).toEqual({ due: 2, running: 1, behind: 1, waiting: 1, 'held job work': 1, 'held account reports': 1, later: 1 })
  expect(await states(['other'])).toEqual({ due: 1 })
  const [next] = (await countOpen(db, undefined)).filter(({ state }) => state === 'later')
  expect(Date.parse(next?.nextAt ?? '') - Date.now()).toBeGreaterThan(80_000_000)
})

test('a pause is what a queued run waits for, whether a worker has met it yet or not', async () => {
  const { db } = database
  await writeRun(db)
  const held = await writeRun(db)
  await pauseJob(db, ALL_JOBS, someone({ reason: 'a move' }))
  await hold(db, held, { by: `pause ${ALL_JOBS}`, obstacle: 'paused' })
  expect(await states()).toEqual({ paused: 2 })
})

test('runs that workers have are listed, those that take longest first', async () => {
  const { db } = database
  const ids = [await writeRun(db), await writeRun(db, { job: 'other' }), await writeRun(db)]
  for (const id of ids.toReversed().slice(0, 2)) await opened(db, id, { worker: `of ${id}` })
  const under = async (jobs?: readonly string[]) =>
    (await listUnderWay(db, jobs, 20)).map(({ id, worker, attempt }) => ({ id, worker, attempt }))
  const [, other = '', last = ''] = ids
  expect(await under()).toEqual([last, other].map((id) => ({ id, worker: `of ${id}`, attempt: 1 })))
  expect(await under(['other'])).toEqual([{ id: other, worker: `of ${other}`, attempt: 1 }])
  expect(await listUnderWay(db, undefined, 1)).toMatchObject([{ id: last }])
})

test('ends of the last hour are counted by status and code', async () => {
  const { db } = database
  await endedRun(db, '2 hours', {})
  await endedRun(db, '10 minutes', {})
  for (const job of ['work', 'work', 'other']) await endCancelled(db, await writeRun(db, { job }))
  expect(await countEnded(db, undefined)).toEqual([
    { status: 'cancelled', code: 'CANCELLED', runs: 3 },
    { status: 'succeeded', code: null, runs: 1 },
  ])
  expect(await countEnded(db, ['other'])).toEqual([{ status: 'cancelled', code: 'CANCELLED', runs: 1 }])
})

test('reports that were tried and are not delivered are counted by place, with what the last try met', async () => {
  const { db } = database
  const id = await writeRun(db)
  await endCancelled(db, id)
  for (const [name, tries, error] of [
    ['ops', 3, 'HTTP 503'],
    ['ops', 1, 'HTTP 500'],
    ['team', 0, null],
  ])
    // prettier-ignore
    await query(
      db,
      "insert into deliveries (id, run_id, attempt, target, tries, error, next_try_at) values ($1, $2, 1, json_build_object('kind', 'webhook', 'name', $3::text), $4, $5, now() + make_interval(mins => $4))",
      [randomUUID(), id, name, tries, error],
    )
  expect(await listFailingReports(db)).toEqual([{ place: 'webhook ops', reports: 2, error: 'HTTP 503' }])
})

test('a process is told with the runs that it has under way', async () => {
  const { db } = database
  for (const name of ['one', 'two'])
    await noteProcess(db, { name, role: 'all', version: '1', slots: 4 }, { duties: [], skewMs: 0, config: null })
  for (let i = 0; i < 2; i++) await opened(db, await writeRun(db), { worker: 'one' })
  await endedRun(db, '1 minute', {})
  expect((await listProcesses(db)).map(({ name, runs, slots }) => ({ name, runs, slots }))).toEqual([
    { name: 'two', runs: 0, slots: 4 },
    { name: 'one', runs: 2, slots: 4 },
  ])
})
