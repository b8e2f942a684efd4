import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ALL_JOBS } from '../../src/core/rules/schedules/pause.ts'
import { delaysOf } from '../../src/schedules/delays.ts'
import { query } from '../../src/store/postgres/db.ts'
import { noteProcess } from '../../src/store/processes.ts'
import { pauseJob } from '../../src/store/schedules/pauses.ts'
import { someone } from '../support/actor.ts'
import { opened, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => query(database.db, 'truncate runs, pauses, processes cascade'))

const note = (name: string, slots: number | null, duty: string) =>
  noteProcess(
    database.db,
    { name, role: 'all', version: '1', slots },
    {
      duties: [{ duty, everyMs: 1000, startedAgoMs: 10, succeededAgoMs: 5, failedAgoMs: undefined, reason: undefined }],
      skewMs: 0,
      config: null,
    },
  )
const look = () => delaysOf(database.db, 'work')

test('without a worker a run does not start, whatever else is at work; one that is gone is none', async () => {
  const nobody = [expect.stringMatching(/^no worker is at work\. .*nightshift start$/)]
  expect(await look()).toEqual(nobody)
  await note('scheduler', null, 'schedules')
  expect(await look()).toEqual(nobody)
  await note('worker', 1, 'heartbeat')
  expect(await look()).toEqual([])
  await query(database.db, "delete from processes where name = 'scheduler'")
  await query(database.db, "update processes set seen_at = now() - interval '30 seconds'")
  expect(await look()).toEqual([
    expect.stringMatching(/^no worker is at work: worker was last heard of 3\d s ago\. Start one with: nightshift start$/),
  ])
  await query(database.db, "update processes set seen_at = now() - interval '2 hours'")
  expect(await look()).toEqual(nobody)
})

test('while each slot is taken a run waits for one; a worker that does not say its slots may have one', async () => {
  await note('worker', 1, 'heartbeat')
  await opened(database.db, await writeRun(database.db), { worker: 'worker' })
  expect(await look()).toEqual([expect.stringMatching(/^each slot of the workers is taken/)])
  await note('older', null, 'heartbeat')
  expect(await look()).toEqual([])
})

test('the pause of the job and that of everything are both told, and those of other jobs are not', async () => {
  await note('worker', 1, 'heartbeat')
  for (const job of ['work', 'other', ALL_JOBS]) await pauseJob(database.db, job, someone({ reason: 'a move' }))
  expect(await look()).toEqual([
    expect.stringMatching(/^everything is paused by ann since .*nightshift resume --all$/),
    expect.stringMatching(/^work is paused by ann since .*nightshift resume work$/),
  ])
})
