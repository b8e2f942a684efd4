import { expect, test } from 'vitest'
import { noUsage } from '../../../src/core/run.ts'
import { query, transaction, type Db } from '../../../src/store/postgres/db.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { lockLimits, releaseIntoSlots, releaseNext, releaseUnpaused, type ConcurrencyOf } from '../../../src/store/runs/holds.ts'
import { claim, fallSilent, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'

const one = () => ({ job: 1, account: undefined })

test('a claim that is being counted while a slot becomes free is released, and not forgotten', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const released = await transaction(db, async (client) => {
    await lockLimits(client, { job: 'work' })
    const release = releaseNext(db, { account: 'reports', job: 'work' })
    await query(client, "update runs set held_by = 'job work', held_at = now(), holds = 1 where id = $1", [id])
    return { release }
  })
  expect(await released.release).toEqual([{ id, round: 1, priority: 10, inMs: 0 }])
})

test('twenty claims at once under a limit of three: three open, the others are held', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const ids = await Promise.all(Array.from({ length: 20 }, () => writeRun(db)))
  const claims = await Promise.all(ids.map((id) => claim(db, id, { concurrencyOf: () => ({ job: 3, account: undefined }) })))
  const kinds = claims.map((result) => (result.kind === 'held' ? result.by : result.kind))
  expect(kinds.toSorted()).toEqual([...Array.from({ length: 17 }, () => 'job work'), 'opened', 'opened', 'opened'])
})

test('after each hold the next wake is another queue job', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await opened(db, await writeRun(db))
  const id = await writeRun(db)
  const rounds: number[] = []
  for (let i = 0; i < 3; i++) {
    expect(await claim(db, id, { concurrencyOf: one })).toMatchObject({ kind: 'held', by: 'job work' })
    rounds.push(...(await releaseNext(db, { account: 'reports', job: 'work' })).map(({ round }) => round))
  }
  expect(rounds).toEqual([1, 2, 3])
})

test('a run that is cancelled or retried while it is held is not woken by an old hold', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await opened(db, await writeRun(db))
  const id = await writeRun(db)
  await claim(db, id, { concurrencyOf: one })
  await query(db, "update runs set status = 'cancelled', finished_at = now() where id = $1", [id])
  await query(db, "update runs set held_at = now() - interval '1 hour'")
  expect(await releaseNext(db, { account: 'reports', job: 'work' })).toEqual([])
  expect([await releaseUnpaused(db), await releaseIntoSlots(db, undefined)]).toEqual([[], []])
})

test('a run that is taken over keeps its slot, whatever the limit is by then', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [first, second] = [await writeRun(db), await writeRun(db)]
  for (const id of [first, second]) await opened(db, id)
  await fallSilent(db, second)
  expect(await claim(db, second, { concurrencyOf: one })).toMatchObject({ kind: 'opened', opened: { tookOver: true } })
})

const heldFor = (db: Db, seconds: number) =>
  query(db, 'update runs set held_at = now() - make_interval(secs => $1) where held_by is not null', [seconds])

test('no more of those that a limit holds are let go than it has slots, most urgent first, however many are held', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await opened(db, await writeRun(db))
  const held: string[] = []
  for (const priority of ['low', 'low', 'high', 'normal'] as const) {
    const id = await writeRun(db, { priority })
    held.push(id)
    await claim(db, id, { concurrencyOf: one })
  }
  await heldFor(db, 60)
  expect(await releaseIntoSlots(db, one)).toEqual([])
  const letGo = await releaseIntoSlots(db, () => ({ job: 3, account: undefined }))
  expect(new Set(letGo.map(({ id }) => id))).toEqual(new Set(held.slice(2)))
  expect(await releaseIntoSlots(db, undefined)).toHaveLength(2)
})

test('a run whose claim may still be counted is not let go', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const running = await opened(db, await writeRun(db))
  await claim(db, await writeRun(db), { concurrencyOf: one })
  await finishRun(db, running, { status: 'succeeded', reasons: [], failure: null, usage: noUsage, costUsd: null })
  expect(await releaseIntoSlots(db, one)).toEqual([])
  await heldFor(db, 60)
  expect(await releaseIntoSlots(db, one)).toHaveLength(1)
})

test('a run counts by the limit of its own definition, and no other starts beside one that allows fewer', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const concurrencyOf: ConcurrencyOf = (_job, _account, defined) => ({ job: defined, account: undefined })
  const write = (version: string, concurrency: number | undefined) =>
    writeRun(db, { jobVersion: version }, { prompt: 'Do it.', ...(concurrency !== undefined && { concurrency }) })
  const kindOf = async (id: string) => (await claim(db, id, { concurrencyOf })).kind
  const [one1, one2] = [await write('one', 1), await write('one', 1)]
  const [three1, three2, free] = [await write('three', 3), await write('three', 3), await write('free', undefined)]
  expect([await kindOf(one1), await kindOf(one2), await kindOf(three1)]).toEqual(['opened', 'held', 'held'])
  await query(db, "update runs set status = 'succeeded', finished_at = now() where id = $1", [one1])
  expect([await kindOf(three1), await kindOf(three2), await kindOf(one2)]).toEqual(['opened', 'opened', 'held'])
  expect(await kindOf(free)).toBe('opened')
  await heldFor(db, 60)
  // By the first that is held, which allows one.
  expect(await releaseIntoSlots(db, concurrencyOf)).toEqual([])
  await query(db, "update runs set status = 'succeeded', finished_at = now() where status = 'running'")
  expect((await releaseIntoSlots(db, concurrencyOf)).map(({ id }) => id)).toEqual([one2])
})
