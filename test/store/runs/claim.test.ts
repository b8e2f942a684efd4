import { expect, test } from 'vitest'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { releaseUnpaused } from '../../../src/store/runs/holds.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { pauseJob } from '../../../src/store/schedules/pauses.ts'
import { claim, opened, waitingForShop, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { someone } from '../../support/actor.ts'

const inAnHour = () => new Date(Date.now() + 3_600_000)
const askCancel = (db: Db, id: string) => query(db, 'update runs set cancel_requested_at = now() where id = $1', [id])

interface Case {
  make: (db: Db) => Promise<string>
  /** What its claim is told. */
  told: object
}

/** A run with each obstacle that the view knows. */
const OBSTACLES: Record<string, Case> = {
  'not-runnable': {
    async make(db) {
      const id = await writeRun(db)
      await suspendRun(db, await opened(db, id), waitingForShop)
      return id
    },
    told: { kind: 'not-runnable', status: 'waiting' },
  },
  running: {
    async make(db) {
      const id = await writeRun(db)
      await opened(db, id)
      return id
    },
    told: { kind: 'busy' },
  },
  'cancel-requested': {
    async make(db) {
      const id = await writeRun(db)
      await askCancel(db, id)
      return id
    },
    told: { kind: 'cancel-requested' },
  },
  expired: { make: (db) => writeRun(db, { expireAt: new Date(0) }), told: { kind: 'expired', at: new Date(0) } },
  paused: {
    async make(db) {
      await pauseJob(db, 'paused', someone({ reason: 'later', name: 'ann' }))
      return writeRun(db, { job: 'paused' })
    },
    told: { kind: 'held', by: 'pause paused' },
  },
  'earlier-run': { make: async (db) => writeRun(db, { afterRun: await writeRun(db) }), told: { kind: 'not-yet' } },
  'not-due': { make: (db) => writeRun(db, { startAt: inAnHour() }), told: { kind: 'not-yet' } },
}

const obstacleOf = async (db: Db, id: string) =>
  (await query<{ obstacle: string | null }>(db, 'select obstacle from claims where id = $1', [id]))[0]?.obstacle

const full = () => ({ job: 0, account: 0 })

test.each(Object.entries(OBSTACLES))(
  'a run that is %s is not claimed, and told so, under a full limit or none',
  async (name, { make, told }) => {
    await using database = await createTestDatabase()
    const { db } = database
    for (const concurrencyOf of [full, undefined]) {
      const id = await make(db)
      expect(await obstacleOf(db, id)).toBe(name)
      expect(await claim(db, id, { concurrencyOf })).toMatchObject(told)
    }
  },
)

test('a run without an obstacle is held by a full limit, and opened without one', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  expect(await obstacleOf(db, id)).toBeNull()
  expect(await claim(db, id, { concurrencyOf: full })).toMatchObject({ kind: 'held', by: 'account reports' })
  expect(await claim(db, id, { concurrencyOf: () => ({ job: 0, account: undefined }) })).toMatchObject({ kind: 'held', by: 'job work' })
  expect(await claim(db, id)).toMatchObject({ kind: 'opened' })
})

test('the view knows no other obstacles', async () => {
  await using database = await createTestDatabase()
  const [row] = await query<{ view: string }>(database.db, "select pg_get_viewdef('claims') as view")
  const names = [...(row?.view ?? '').matchAll(/THEN '([a-z-]+)'/g)].map(([, name]) => name)
  expect(new Set(names)).toEqual(new Set(Object.keys(OBSTACLES)))
})

test('what a limit or a pause holds is let go for its end once its cancel was asked for or its time is over', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await pauseJob(db, 'paused', someone({ reason: 'later', name: 'ann' }))
  const held: string[] = []
  for (const job of ['work', 'paused', 'work', 'paused', 'work', 'paused']) {
    held.push(await writeRun(db, { job, expireAt: inAnHour() }))
    expect(
      await claim(db, held.at(-1) ?? '', { concurrencyOf: (name) => ({ job: name === 'work' ? 0 : 9, account: undefined }) }),
    ).toMatchObject({ kind: 'held' })
  }
  expect(await releaseUnpaused(db)).toEqual([])
  for (const id of held.slice(0, 2)) await askCancel(db, id)
  await query(db, 'update runs set expire_at = now() where id = any($1)', [held.slice(2, 4)])
  expect(new Set((await releaseUnpaused(db)).map(({ id }) => id))).toEqual(new Set(held.slice(0, 4)))
})
