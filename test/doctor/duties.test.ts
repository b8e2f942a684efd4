import { afterEach, beforeAll, afterAll, expect, test } from 'vitest'
import { UNDONE } from '../../src/core/duties.ts'
import { faultsOfProcesses } from '../../src/doctor/duties.ts'
import { query } from '../../src/store/postgres/db.ts'
import { listDuties, listProcesses, noteProcess, type DutyNote } from '../../src/store/processes.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
afterEach(() => query(database.db, 'delete from processes'))

const HOUR = 3_600_000
const well = (duty: string): DutyNote => ({
  duty,
  everyMs: 1000,
  startedAgoMs: HOUR,
  succeededAgoMs: 10,
  failedAgoMs: undefined,
  reason: undefined,
})
const note = (name: string, role: string, duties: readonly DutyNote[], skewMs = 0) =>
  noteProcess(database.db, { name, role, version: '1.2.3', slots: null }, { duties, skewMs, config: null })
const look = async () => {
  return faultsOfProcesses(await listProcesses(database.db), await listDuties(database.db))
}

test('of processes that are well, each duty done, nothing is said', async () => {
  await note('a:1', 'worker', [well('heartbeat'), well('outbox')])
  await note('b:1', 'worker', [well('heartbeat'), well('outbox')])
  await note('c:1', 'scheduler', [well('schedules')])
  expect(await look()).toEqual([])
})

test('a process whose clock is not that of the store is named, once for all that are', async () => {
  const all = [well('heartbeat'), well('schedules')]
  await note('a:1', 'all', all, 1999)
  await note('b:1', 'all', all, -2001)
  expect(await look()).toEqual([
    { check: 'clock', status: 'warning', message: 'The clock of b:1 is 2 s behind the store’s.', cure: expect.stringContaining('NTP') },
  ])
  await note('c:1', 'all', all, 3_600_000)
  expect(await look()).toMatchObject([{ status: 'failed', message: 'The clock of c:1 (and of 1 more) is 60 min ahead of the store’s.' }])
})

test('without a worker, or without a scheduler, nothing moves', async () => {
  await note('c:1', 'scheduler', [well('schedules')])
  expect(await look()).toMatchObject([{ status: 'warning', message: 'No worker is at work.', cure: 'nightshift start --only worker' }])
  await note('c:1', 'api', [])
  await query(database.db, 'delete from duties')
  expect(await look()).toMatchObject([{ message: 'No worker is at work.' }, { message: 'No scheduler is at work.' }])
})

test('a duty that fails is named once for all processes where it meets the same, with what is not done meanwhile', async () => {
  const all = [well('heartbeat'), well('schedules')]
  const failing = { ...well('retention'), everyMs: HOUR, succeededAgoMs: undefined, failedAgoMs: 10, reason: 'Postgres: no room' }
  await note('a:1', 'all', [...all, failing])
  await note('b:1', 'all', [...all, failing])
  await note('c:1', 'all', [...all, { ...failing, succeededAgoMs: HOUR / 2, reason: 'another' }])
  expect(await look()).toEqual([
    {
      check: 'duties',
      status: 'failed',
      message:
        'retention fails in a:1 and 1 more since its start: Postgres: no room. Until it is mended: what is older than retention: stays.',
      cure: expect.stringContaining('tried again by itself'),
    },
    {
      check: 'duties',
      status: 'failed',
      message: expect.stringMatching(/^retention fails in c:1 since 20\S+ \S+ UTC: another\./),
      cure: expect.any(String),
    },
  ])
})

test('a duty that hangs is late in its process; a process that hangs, or is gone, is at work no more', async () => {
  await note('a:1', 'all', [well('heartbeat'), { ...well('schedules'), succeededAgoMs: HOUR / 2 }])
  expect(await look()).toMatchObject([
    {
      status: 'failed',
      message: expect.stringMatching(/^schedules has not ended a round in a:1 since \S+ \S+ UTC\. Meanwhile no schedule fires\.$/),
      cure: /start that process again/,
    },
  ])
  const heardOf = (ago: string) => query(database.db, 'update processes set seen_at = now() - $1::interval', [ago])
  await heardOf('20 seconds')
  expect((await listProcesses(database.db)).map(({ alive }) => alive)).toEqual([true])
  await heardOf('80 seconds')
  expect((await listProcesses(database.db)).map(({ alive }) => alive)).toEqual([false])
  expect((await look()).map(({ message }) => message)).toEqual([
    expect.stringMatching(/^No worker is at work: a:1 was last heard of 8\d s ago\.$/),
    expect.stringMatching(/^No scheduler is at work: a:1 was last heard of 8\d s ago\.$/),
  ])
  await query(database.db, "update processes set seen_at = now() - interval '2 days'")
  await note('b:1', 'api', [])
  expect(await query(database.db, 'select name from processes')).toEqual([{ name: 'b:1' }])
})

test('what is not done has words of its own for each duty', () => {
  expect(Object.values(UNDONE).filter((text) => !/^[a-zP]/.test(text) || text.endsWith('.'))).toEqual([])
})
