import { expect, test } from 'vitest'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { WAKEABLE } from '../../../src/store/runs/wakeable.ts'
import { listWaiting, resumeWaiting, tryStartPoll } from '../../../src/store/waiting/waiting.ts'
import { endCancelled, opened, waitingForShop, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { someone } from '../../support/actor.ts'

async function waiting(db: Db): Promise<string> {
  const id = await writeRun(db)
  await suspendRun(db, await opened(db, id), waitingForShop)
  return id
}

const waitsFor = async (db: Db, id: string) =>
  (await query<{ waitsFor: unknown }>(db, 'select waits_for as "waitsFor" from runs where id = $1', [id]))[0]?.waitsFor

const SHOP = [{ account: 'reports', server: 'shop', runs: 1 }]

test('runs are counted by the account and the server that they wait for, whatever their failure says', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await waiting(db)
  await query(db, `update runs set failure = '{"code":"CONNECTION_REQUIRED","server":"another"}'`)
  expect(await listWaiting(db)).toEqual(SHOP)
  expect(await listWaiting(db, { job: 'other' })).toEqual([])
})

test('a run that a worker of the version before left waiting, with what it waits for in its failure alone, is known and goes on', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await opened(db, id)
  await query(db, `update runs set status = 'waiting', failure = '{"code":"CONNECTION_REQUIRED","server":"shop"}' where id = $1`, [id])
  expect(await listWaiting(db)).toEqual(SHOP)
  expect(await resumeWaiting(db, 'reports', ['shop'], someone())).toMatchObject([{ id }])
})

test('only runs that wait for this server of this account go on', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await waiting(db)
  expect(await resumeWaiting(db, 'reports', ['other'], someone())).toEqual([])
  expect(await resumeWaiting(db, 'somebody', ['shop'], someone())).toEqual([])
  expect(await resumeWaiting(db, 'reports', ['other', 'shop'], someone())).toMatchObject([{ id }])
  expect(await resumeWaiting(db, 'reports', ['shop'], someone())).toEqual([])
})

test.each<[string, (db: Db, id: string) => Promise<unknown>]>([
  ['goes on', (db) => resumeWaiting(db, 'reports', ['shop'], someone())],
  ['is retried', (db, id) => retryRuns(db, { ids: [id] }, [], someone())],
  ['is cancelled', (db, id) => endCancelled(db, id)],
  ['is moved on by a worker of the version before', (db, id) => query(db, "update runs set status = 'queued' where id = $1", [id])],
])('a waiting run that %s waits for nothing any more', async (_, act) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await waiting(db)
  expect(await waitsFor(db, id)).toEqual(waitingForShop.waitsFor)
  await act(db, id)
  expect(await waitsFor(db, id)).toBeNull()
})

test('of twenty workers that want to poll an account at once one may, and the next one when the interval is over', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const started = await Promise.all(Array.from({ length: 20 }, () => tryStartPoll(db, 'reports', 60_000)))
  expect(started.filter(Boolean)).toHaveLength(1)
  expect(await tryStartPoll(db, 'reports', 60_000)).toBe(false)
  expect(await tryStartPoll(db, 'reports', 0)).toBe(true)
})

test('a run that waited goes on in a round of its own', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await waiting(db)
  const before = await query<{ round: number }>(db, `select ${WAKEABLE} from runs where id = $1`, [id])
  expect(await resumeWaiting(db, 'reports', ['shop'], someone())).toMatchObject([{ id, round: (before[0]?.round ?? 0) + 1 }])
})
