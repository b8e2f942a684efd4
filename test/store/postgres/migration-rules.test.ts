import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { query, transaction, type Db } from '../../../src/store/postgres/db.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { createEmptyDatabase, createTestDatabase } from '../../support/database/database.ts'
import { filledByStep } from '../../support/database/old-store.ts'

const DIR = join(import.meta.dirname, '../../../src/store/postgres/migrations')
const ROWS = 1000
const STATEMENT_BY_STATEMENT = '-- statement by statement\n'
/** Steps of a time before the rule, each with the tables that it reads or changes as a whole, while all workers wait. */
const BEFORE_THE_RULE = {
  4: ['runs'],
  5: ['gateway_requests', 'runs'],
  6: ['gateway_requests', 'run_accounts', 'runs'],
  7: ['authorize_events'],
  // It only reads them, and fills a table that nobody writes by the step before: nobody waits.
  24: ['attempts'],
}

const steps = readdirSync(DIR)
  .toSorted()
  .map((name) => ({ version: Number.parseInt(name, 10), sql: readFileSync(join(DIR, name), 'utf8') }))

const tablesOf = async (db: Db) =>
  (
    await query<{ name: string }>(db, "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
  ).map(({ name }) => name)

/** Fills the tables that are there and have nothing in them yet, so that the next step has rows to pass. */
async function fillNew(db: Db, filled: Set<string>): Promise<void> {
  const there = await tablesOf(db)
  for (const [table, statement] of Object.entries(filledByStep(ROWS))) {
    if (filled.has(table) || !there.includes(table)) continue
    filled.add(table)
    await query(db, statement)
  }
}

/** How many rows were read by passing through a table, or changed, as this session has counted. */
async function passes(client: pg.PoolClient): Promise<Map<string, number>> {
  const rows = await query<{ name: string; n: number }>(
    client,
    'select relname as name, seq_tup_read + n_tup_ins + n_tup_upd + n_tup_del as n from pg_stat_xact_user_tables',
  )
  return new Map(rows.map(({ name, n }) => [name, n]))
}

/** The tables of which a step passes half of the rows, as whoever makes an index, checks a constraint, rewrites or updates a table does. */
const passedBy = (db: Db, sql: string, filled: ReadonlySet<string>): Promise<string[]> =>
  transaction(db, async (client) => {
    const before = await passes(client)
    await query(client, sql)
    const after = await passes(client)
    return [...filled].filter((table) => (after.get(table) ?? 0) - (before.get(table) ?? 0) >= ROWS / 2).toSorted()
  })

test('a step in a transaction passes no table of the work as a whole', async () => {
  await using database = await createEmptyDatabase()
  const { db } = database
  const filled = new Set<string>()
  const passed: Record<number, string[]> = {}
  for (const { version, sql } of steps) {
    if (version === 1 || sql.startsWith(STATEMENT_BY_STATEMENT)) await migrate(db, { upTo: version })
    else {
      const tables = await passedBy(db, sql, filled)
      if (tables.length > 0) passed[version] = tables
      await query(db, 'insert into migrations (version) values ($1)', [version])
    }
    await fillNew(db, filled)
  }
  expect([...filled].toSorted()).toEqual(Object.keys(filledByStep(ROWS)).toSorted())
  expect(passed).toEqual(BEFORE_THE_RULE)
})

test.each([
  ['create index by_account on runs (account)', true],
  ['alter table runs add column one uuid default gen_random_uuid()', true],
  ['alter table runs alter column account set not null', false],
  ['alter table runs alter column started_at set not null', true],
  ['alter table runs add check (attempts >= 0)', true],
  ['alter table runs add check (attempts >= 0) not valid', false],
  ['alter table turns add foreign key (run_id) references runs (id)', true],
  ['alter table turns add foreign key (run_id) references runs (id) not valid', false],
  ['alter table turns alter column attempt type bigint', true],
  ["update runs set codes = '{}'", true],
  ["delete from runs where status = 'succeeded'", true],
  ['alter table runs add column one int not null default 1', false],
  ['alter table runs add column one timestamptz not null default now()', false],
])('the rule knows what passes a table: %s (%s)', async (sql, isFound) => {
  await using database = await createTestDatabase()
  const filled = new Set<string>()
  await fillNew(database.db, filled)
  expect((await passedBy(database.db, sql, filled)).length > 0).toBe(isFound)
})

/** What nobody waits behind, however large the table is, and that may be run again after it was cut off. */
const BESIDE_THE_WORK = [
  /^drop index concurrently if exists \w+$/,
  /^create (?:unique )?index concurrently \w+ on /,
  /^alter table \w+ validate constraint \w+$/,
]

test.each(steps.filter(({ sql }) => sql.startsWith(STATEMENT_BY_STATEMENT)))(
  'each statement of step $version goes beside the work, and may be run again',
  ({ sql }) => {
    const statements = sql
      .replaceAll(/^\s*--.*$/gm, '')
      .split(';')
      .map((statement) => statement.trim().replaceAll(/\s+/g, ' '))
      .filter((statement) => statement !== '')
    expect(statements.filter((statement) => !BESIDE_THE_WORK.some((allowed) => allowed.test(statement)))).toEqual([])
    for (const [at, statement] of statements.entries()) {
      const name = /^create (?:unique )?index concurrently (\w+)/.exec(statement)?.[1]
      if (name !== undefined) expect(statements[at - 1]).toBe(`drop index concurrently if exists ${name}`)
    }
  },
)
