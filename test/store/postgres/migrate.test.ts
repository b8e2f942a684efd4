import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { freePort } from '../../support/net/listen.ts'
import { createEmptyDatabase } from '../../support/database/database.ts'

const DIR = join(import.meta.dirname, '../../../src/store/postgres/migrations')
const VERSIONS = readdirSync(DIR).map((name) => Number.parseInt(name, 10))
const LATEST = Math.max(...VERSIONS)
/** The version whose next step changes the table of runs. */
const BEFORE_RUNS_CHANGE = 7
const BEFORE_INDEXES = 9

/** All columns, constraints and indexes, and the versions that were applied. */
async function shapeOf(db: Db): Promise<unknown> {
  return {
    columns: await query(db, "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns where table_schema = 'public' order by 1, 2"), // prettier-ignore
    constraints: await query(db, "select conrelid::regclass::text as of, pg_get_constraintdef(oid) as def from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2"), // prettier-ignore
    indexes: await query(db, "select indexdef from pg_indexes where schemaname = 'public' order by 1"),
  }
}

const versionsOf = async (db: Db) =>
  (await query<{ version: number }>(db, 'select version from migrations order by 1')).map(({ version }) => version)

test('ten pools that migrate at the same time make each step once', async () => {
  await using database = await createEmptyDatabase()
  const pools = Array.from({ length: 10 }, () => openDb({ url: database.url, max: 1 }))
  expect(await Promise.all(pools.map((pool) => migrate(pool)))).toEqual(pools.map(() => LATEST))
  await Promise.all(pools.map((pool) => pool.end()))
  expect(await versionsOf(database.db)).toEqual(VERSIONS)
})

/** The shape of a database that one program made. */
async function freshShape(): Promise<unknown> {
  await using database = await createEmptyDatabase()
  await migrate(database.db)
  return await shapeOf(database.db)
}
let fresh: Promise<unknown> | undefined

test.each([0, ...VERSIONS])('a database at version %i comes to the shape of a fresh one', async (version) => {
  await using old = await createEmptyDatabase()
  await migrate(old.db, { upTo: version })
  expect(await migrate(old.db)).toBe(LATEST)
  expect(await migrate(old.db)).toBe(LATEST)
  expect(await shapeOf(old.db)).toEqual(await (fresh ??= freshShape()))
  expect(await versionsOf(old.db)).toEqual(VERSIONS)
})

test.each([1, LATEST])('runs that a program of version %i wrote are kept', async (version) => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await migrate(db, { upTo: version })
  await query(db, "insert into job_versions (job, version, definition) values ('work', 'v1', '{}')")
  await query(
    db,
    "insert into runs (id, job, job_version, status, trigger, input, account) values ('run_1', 'work', 'v1', 'queued', '{}', '{}', 'reports')",
  )
  await migrate(db)
  expect(await query(db, 'select id, status from runs')).toEqual([{ id: 'run_1', status: 'queued' }])
})

test.each([
  ['says that this one does not work with it any more', LATEST + 1],
  ['says nothing', null],
])('a database of a newer program that %s is refused with both versions, and nothing is changed', async (_, worksWith) => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await migrate(db)
  await query(db, 'insert into migrations (version, works_with) values ($1, $2)', [LATEST + 1, worksWith])
  const before = await shapeOf(db)
  await expect(migrate(db)).rejects.toMatchObject({
    code: 'STORE_TOO_NEW',
    message: expect.stringMatching(new RegExp(`version ${LATEST + 1};.* up to ${LATEST}\\.`)),
  })
  expect(await shapeOf(db)).toEqual(before)
  expect(await versionsOf(db)).toEqual([...VERSIONS, LATEST + 1])
})

test('a database of a newer program that still works with this one is used as it is: a release can be taken back', async () => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await migrate(db)
  await query(db, 'insert into migrations (version, works_with) values ($1, $2), ($3, $2)', [LATEST + 1, LATEST, LATEST + 2])
  expect(await migrate(db)).toBe(LATEST)
  expect(await versionsOf(db)).toEqual([...VERSIONS, LATEST + 1, LATEST + 2])
  await query(db, 'update migrations set works_with = version where version = $1', [LATEST + 2])
  await expect(migrate(db)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
})

test('a step that fails leaves the database as it was', async () => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await query(db, 'create table fires (already int)')
  await expect(migrate(db)).rejects.toThrow('"fires" already exists')
  expect(await query(db, "select table_name from information_schema.tables where table_schema = 'public'")).toEqual([
    { table_name: 'fires' },
  ])
})

test('a migration gives way to a worker while a reader is in its way, and is done once the reader is gone', async () => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await migrate(db, { upTo: BEFORE_RUNS_CHANGE })
  await query(db, "insert into job_versions (job, version, definition) values ('work', 'v1', '{}')")
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account)
     select 'run_' || i, 'work', 'v1', 'queued', '{}', '{}', 'reports' from generate_series(1, 20000) i`,
  )
  const reader = await db.connect()
  await reader.query('begin; select count(*) from runs')
  const migrated = migrate(db)
  const blocked = "select 1 from pg_locks where not granted and relation = 'runs'::regclass"
  await expect.poll(async () => (await query(db, blocked)).length, { interval: 5 }).toBe(1)
  // It stands behind the migration until that gives way; the reader goes only afterwards.
  await query(db, "update runs set heartbeat_at = now() where id = 'run_1'")
  await reader.query('commit')
  reader.release()
  expect(await migrated).toBe(LATEST)
})

test('an index that is built beside a reader waits for it, and is not begun again and again', async () => {
  await using database = await createEmptyDatabase()
  const { db } = database
  await migrate(db, { upTo: BEFORE_INDEXES })
  const reader = await db.connect()
  await reader.query('begin isolation level repeatable read; select count(*) from runs')
  const migrated = migrate(db)
  const building = async () => {
    const [row] = await query<{ begun: string }>(
      db,
      `select xact_start::text as begun from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and query ilike '%index concurrently%'`,
    )
    return row?.begun
  }
  await expect.poll(building, { timeout: 20_000 }).toBeDefined()
  const begun = await building()
  // Longer than any other step waits for its locks.
  await query(db, 'select pg_sleep(0.8)')
  expect(await building()).toBe(begun)
  await reader.query('commit')
  reader.release()
  expect(await migrated).toBe(LATEST)
})

test('a read-only database is STORE_UNAVAILABLE, and the message says that it is read-only', async () => {
  await using database = await createEmptyDatabase()
  const db = openDb({ url: `${database.url}?options=-c%20default_transaction_read_only%3Don`, max: 1 })
  await expect(migrate(db)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('read-only') })
  await db.end()
})

test.each(['127.0.0.1', 'localhost'])('a server on %s that does not answer is STORE_UNAVAILABLE, with its address', async (host) => {
  const port = await freePort()
  const db = openDb({ url: `postgres://postgres@${host}:${port}/nightshift` })
  await expect(migrate(db)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining(String(port)) })
  await db.end()
})

test.each([
  ['a database that is not there', (url: string) => `${url}_gone`, /database ".*_gone" does not exist/],
  ['a wrong password', (url: string) => url.replace(/:[^:@]+@/, ':wrong@'), /password authentication failed/],
])('%s is STORE_UNAVAILABLE, and says so without the password', async (_, change, message) => {
  await using database = await createEmptyDatabase()
  const password = new URL(database.url).password
  const db = openDb({ url: change(database.url) })
  const error: unknown = await migrate(db).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(message) })
  expect(JSON.stringify(error)).not.toContain(password)
  await db.end()
})

/** What a program asks that knows the store up to this version, recorded from it: it stays at work beside this one until the last of its processes is replaced. */
const RECORDED = 7
const statements = z
  .array(z.string())
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/statements-of-schema-${RECORDED}.json`), 'utf8')))

test('everything that the program of the version before asks the store is still answered', async () => {
  expect(statements.length).toBeGreaterThan(70)
  await using database = await createEmptyDatabase()
  const db = openDb({ url: database.url, max: 1 })
  const refused = async () => {
    const reasons: string[] = []
    for (const [n, statement] of statements.entries())
      await query(db, `prepare asked_${n} as ${statement}`).catch((error: unknown) => reasons.push(`${String(error)}: ${statement}`))
    return reasons
  }
  await migrate(db, { upTo: RECORDED })
  expect(await refused()).toEqual([])
  await query(db, 'deallocate all')
  await migrate(db)
  expect(await refused()).toEqual([])
  await db.end()
})
