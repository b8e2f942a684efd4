import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { noUsage } from '../../../src/core/run.ts'
import { query, transaction, type Db } from '../../../src/store/postgres/db.ts'
import { finishRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { insertRunsOnce } from '../../../src/store/runs/idempotency.ts'
import { insertRun, insertRuns } from '../../../src/store/runs/insert.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { recordFires } from '../../../src/store/schedules/fires.ts'
import { someone } from '../../support/actor.ts'
import { claim, endCancelled, fallSilent, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'

const end: RunEnd = { status: 'succeeded', reasons: [], failure: null, usage: noUsage, costUsd: null }

/** Statements that begin so and wait for a lock. */
const waiting = (db: Db, statement: string) =>
  query(db, `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1 || '%'`, [
    statement,
  ])

/** Resolves when so many of them wait. */
const blocked = (db: Db, statement: string, count = 1) => expect.poll(() => waiting(db, statement), { timeout: 20_000 }).toHaveLength(count)

test('the end of an attempt and a takeover of its run, at once, wait for each other in one order', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const attempt = await opened(db, id)
  await fallSilent(db, id)
  // A takeover that has locked the run, and not yet its attempt.
  const ended = await transaction(db, async (client) => {
    await client.query('select 1 from runs where id = $1 for no key update', [id])
    const finishing = finishRun(db, attempt, end)
    await blocked(db, 'with ')
    await client.query("set local lock_timeout = '1s'")
    await client.query('update attempts set finished_at = finished_at where run_id = $1', [id])
    return { finishing }
  })
  expect(await ended.finishing).toMatchObject({ stillOwned: true })
})

/** Runs of 10:00 (at work), 11:00 and 12:00, each of which waits for the one before. */
async function chain(db: Db) {
  const first = await writeRun(db, { id: 'run_1' })
  const attempt = await opened(db, first)
  const second = await writeRun(db, { id: 'run_2', afterRun: first })
  return { first, attempt, second, third: () => writeRun(db, { id: 'run_3', afterRun: second }) }
}

test('a run that waits for one that is cancelled waits for what that one waited for, and is woken by its end', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { attempt, second, third } = await chain(db)
  const id = await third()
  expect(await endCancelled(db, second)).toBe(true)
  expect(await claim(db, id)).toMatchObject({ kind: 'not-yet' })
  expect(await finishRun(db, attempt, end)).toMatchObject({ next: [{ id }] })
  expect(await claim(db, id)).toMatchObject({ kind: 'opened' })
})

test('a run that is written while the one that it waits for is cancelled waits for what that one waited for', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { first, second } = await chain(db)
  const cancelled = await transaction(db, async (client) => {
    const run = { id: 'run_3', job: 'work', jobVersion: 'sha256:1', account: 'reports', trigger: { kind: 'cli' } as const, input: {} }
    await insertRun(client, { ...run, afterRun: second }, {})
    const ending = endCancelled(db, second)
    await blocked(db, 'select 1 from runs where id')
    return { ending }
  })
  expect(await cancelled.ending).toBe(true)
  expect(await query(db, "select after_run from runs where id = 'run_3'")).toEqual([{ after_run: first }])
})

test('a fire that is decided while the latest open run is being cancelled waits for the open run before it', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { first, second } = await chain(db)
  const at = new Date()
  const run = { id: 'run_3', job: 'work', jobVersion: 'sha256:1', account: 'reports', trigger: { kind: 'cli' } as const, input: {} }
  const decided = await transaction(db, async (client) => {
    await client.query('select 1 from runs where id = $1 for update', [second])
    await client.query("update runs set status = 'cancelled', finished_at = now() where id = $1", [second])
    const deciding = recordFires(db, {
      schedule: { job: 'work', cron: '0 * * * *', timezone: 'UTC' },
      fires: [{ decision: { at, verdict: 'run', madeUp: false }, run }],
      overlap: 'queue',
      definition: {},
      until: at,
    })
    await blocked(db, 'select id as newest')
    return { deciding }
  })
  expect(await decided.deciding).toMatchObject([{ runId: 'run_3', waitsForEarlierRun: true }])
  expect(await query(db, "select after_run from runs where id = 'run_3'")).toEqual([{ after_run: first }])
})

const definition = { name: 'a job' }
const inserted = (jobs: readonly string[]) =>
  jobs.map((job) => ({
    run: { id: `run_${randomUUID()}`, job, jobVersion: 'v1', account: 'reports', trigger: { kind: 'api' } as const, input: {} },
    definition,
  }))

/** What keeps many definitions at once: those of job files that were changed are new to the store. */
const KEEPERS: [name: string, keep: (db: Db, jobs: readonly string[]) => Promise<unknown>][] = [
  ['batches', (db, jobs) => insertRuns(db, inserted(jobs))],
  [
    'batches with keys',
    (db, jobs) =>
      insertRunsOnce(
        db,
        inserted(jobs).map((one) => ({ ...one, key: { owner: 'a', key: one.run.id, digest: 'd' } })),
      ),
  ],
  [
    'retries with the latest definitions',
    (db, jobs) =>
      retryRuns(
        db,
        { job: 'none' },
        jobs.map((job) => ({ job, version: 'v1', account: 'reports', definition })),
        someone(),
      ),
  ],
]
const KEEPING = '%insert into job_versions'

test.each(KEEPERS)(
  '%s that keep the same new definitions, at once and in opposite order, wait for each other in one order',
  async (_, keep) => {
    await using database = await createTestDatabase()
    const { db } = database
    const jobs = ['first', 'middle', 'last']
    // Holds the one in the middle until both wait.
    const both = await transaction(db, async (client) => {
      await client.query(`insert into job_versions (job, version, definition) values ('middle', 'v1', '{}')`)
      const one = keep(db, jobs)
      await blocked(db, KEEPING)
      const other = keep(db, jobs.toReversed())
      await blocked(db, KEEPING, 2)
      return { ended: Promise.allSettled([one, other]) }
    })
    expect(await both.ended).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
    expect(await query(db, 'select job from job_versions order by job')).toEqual(jobs.toSorted().map((job) => ({ job })))
  },
)
