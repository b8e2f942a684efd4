import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { loadLastGreen } from '../../../src/store/schedules/last-green.ts'
import { createTestDatabase } from '../../support/database/database.ts'

const at = (day: number, hour = 7) => new Date(Date.UTC(2026, 2, day, hour))

test('the latest green run is the one that was due last before a time, however it came about and whenever it was made', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await query(db, "insert into job_versions (job, version, definition) values ('report', 'v', '{}'), ('other', 'v', '{}')")
  let made = 0
  const run = (fireAt: Date | undefined, createdAt: Date, { status = 'succeeded', job = 'report' } = {}) =>
    query(
      db,
      `insert into runs (id, job, job_version, status, trigger, input, account, created_at, finished_at)
       values ($1, $2, 'v', $3, $4, '{}', 'a', $5, now())`,
      [
        `run_${++made}`,
        job,
        status,
        JSON.stringify(fireAt ? { kind: 'schedule', fireAt: fireAt.toISOString() } : { kind: 'cli' }),
        createdAt,
      ],
    )
  expect(await loadLastGreen(db, 'report', at(31))).toBeUndefined()
  await run(at(1), at(1))
  await run(undefined, at(2, 12))
  // Made late: a backfill, and one that was missed.
  await run(at(3), at(20))
  await run(at(4), at(4), { status: 'failed' })
  await run(at(5), at(5), { job: 'other' })
  await run(undefined, at(6), { status: 'incomplete' })
  const lastBefore = (time: Date) => loadLastGreen(db, 'report', time)
  expect(await Promise.all([at(1), at(2), at(2, 12), at(3), at(4), at(31)].map(lastBefore))).toEqual([
    undefined,
    at(1),
    at(1),
    at(2, 12),
    at(3),
    at(3),
  ])
})
