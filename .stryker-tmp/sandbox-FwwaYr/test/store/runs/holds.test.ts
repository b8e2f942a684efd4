// @ts-nocheck
import { expect, test } from 'vitest'
import { query, transaction } from '../../../src/store/postgres/db.ts'
import { lockLimits, releaseNext, releaseStale } from '../../../src/store/runs/holds.ts'
import { claim, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'

const one = () => ({ job: 1, account: undefined })

test('a claim that is being counted while the place is given up is let go, and not forgotten', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const released = await transaction(db, async (client) => {
    await lockLimits(client, { job: 'work' })
    const release = releaseNext(db, { account: 'reports', job: 'work' })
    await query(client, "update runs set held_by = 'job work', held_at = now(), holds = 1 where id = $1", [id])
    return { release }
  })
  expect(await released.release).toEqual([{ id, round: 1, priority: 10 }])
})

test('twenty claims at once under a limit of three: three open, the others are held', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const ids = await Promise.all(Array.from({ length: 20 }, () => writeRun(db)))
  const claims = await Promise.all(ids.map((id) => claim(db, id, { limitsOf: () => ({ job: 3, account: undefined }) })))
  const kinds = claims.map((result) => (result.kind === 'held' ? result.by : result.kind))
  expect(kinds.toSorted()).toEqual([...Array.from({ length: 17 }, () => 'job work'), 'opened', 'opened', 'opened'])
})

test('each hold makes the next entry of the queue another one', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await opened(db, await writeRun(db))
  const id = await writeRun(db)
  const rounds: number[] = []
  for (let i = 0; i < 3; i++) {
    expect(await claim(db, id, { limitsOf: one })).toMatchObject({ kind: 'held', by: 'job work' })
    rounds.push(...(await releaseNext(db, { account: 'reports', job: 'work' })).map(({ round }) => round))
  }
  expect(rounds).toEqual([1, 2, 3])
})

test('a run that is cancelled or retried while it is held is not woken by an old hold', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await opened(db, await writeRun(db))
  const id = await writeRun(db)
  await claim(db, id, { limitsOf: one })
  await query(db, "update runs set status = 'cancelled', finished_at = now() where id = $1", [id])
  await query(db, "update runs set held_at = now() - interval '1 hour'")
  expect([await releaseNext(db, { account: 'reports', job: 'work' }), await releaseStale(db)]).toEqual([[], []])
})

test('a run that is taken over keeps its place, whatever the limit is by then', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [first, second] = [await writeRun(db), await writeRun(db)]
  for (const id of [first, second]) await opened(db, id, { queueJobId: id })
  expect(await claim(db, second, { queueJobId: second, limitsOf: one })).toMatchObject({ kind: 'opened', opened: { tookOver: true } })
})
