import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { LINE_CHANGES, LINE_COLUMNS, RUN_TABLES, VERSION_COLUMNS } from '../../../src/store/audit/row-rules.ts'
import { columnsOf } from '../../../src/store/audit/signed-rows.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { fillStore } from '../../support/database/large-store.ts'
import { signerOf } from '../../support/evidence/signer.ts'

/** Tables of which no checkpoint says anything, and why. */
const OUTSIDE: Record<string, string> = {
  acts: 'what people did: not signed yet',
  alarms: 'sent out of the house; the lines that they are about are signed',
  bad_rows: 'what a duty met of late',
  budget_days: 'adds up while a day lasts',
  checkpoints: 'the chain itself',
  connection_looks: 'when a route list was looked at',
  duties: 'how processes are now',
  fires: 'a fire that ran is the trigger of its run, which is signed',
  idempotency_keys: 'forgotten after days',
  log_positions: 'where reading a log stopped',
  migrations: 'which version the store is of',
  pauses: 'how it stands now',
  processes: 'how processes are now',
  run_acts: 'what people did: not signed yet',
  run_ends: 'ends before a retry: signed while they were the run’s own, not signed here yet',
  pruned_runs: 'written by retention; a run that it names and that is there is a fault',
  schedule_progress: 'how far schedules are',
  scheduler_presence: 'how it stands now',
  schedules: 'of a version before',
  suspects: 'how accounts stand now; the lines are signed',
}

const TABLES: Record<string, { listed: readonly string[]; changes: Readonly<Record<string, string>> }> = {
  ...Object.fromEntries(
    Object.entries(RUN_TABLES).map(([table, rule]) => [table, { listed: columnsOf(rule), changes: rule.changes ?? {} }]),
  ),
  job_versions: { listed: VERSION_COLUMNS, changes: {} },
  authorize_events: { listed: LINE_COLUMNS, changes: LINE_CHANGES },
}
/** Stand in no list of their own, and are compared all the same. */
const MOVED = ['retry_of', 'output', 'output_text', 'ending', 'mended']

/** Another value of a type. */
const OTHER: Record<string, string> = {
  text: `'another'`, uuid: 'gen_random_uuid()', json: `'{"another":1}'`, boolean: 'not coalesce(COLUMN, false)', integer: 'coalesce(COLUMN, 0) + 7000', bigint: 'coalesce(COLUMN, 0) + 70000000',
  'double precision': 'coalesce(COLUMN, 0) + 0.125', 'timestamp with time zone': `coalesce(COLUMN, now()) + interval '1 microsecond'`, ARRAY: `'{another}'`,
} // prettier-ignore

let database: TestDatabase
let db: Db
let dir: string
let publicKey: string

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-columns-'))
  await fillStore(db, 3000)
  await query(db, 'delete from authorize_events where id > 60')
  await query(db, "delete from runs where id > 'run_00000060'")
  await query(db, "update responses set state = 'over'")
  await query(db, 'delete from checkpoints')
  await query(db, 'delete from pruned_runs')
  await query(db, "update runs set checkpointed_attempts = null, pruned_at = null, finished_at = finished_at - interval '1 day'")
  // Edits of whoever may do everything.
  for (const { name, table } of await query<{ name: string; table: string }>(
    db,
    `select conname as name, conrelid::regclass::text as table from pg_constraint
     where contype in ('c', 'f') and connamespace = 'public'::regnamespace order by contype desc`,
  ))
    await query(db, `alter table ${table} drop constraint ${name}`)
  await query(db, `alter table authorize_events alter column id drop identity`)
  await query(db, 'drop trigger keep_waits_for on runs')
  const signer = signerOf(join(dir, 'evidence.key'))
  publicKey = signer.publicKey
  await takeCheckpoint(db, signer)
  expect(await verifyStore(db, publicKey, [])).toMatchObject({ checkpoints: 1, faults: [] })
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

test('each table is in the chain, or is named with the reason why it is not', async () => {
  const tables = await query<{ name: string }>(
    db,
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1",
  )
  expect(tables.map(({ name }) => name)).toEqual([...Object.keys(TABLES), ...Object.keys(OUTSIDE)].toSorted())
})

const SIGNED = `in (select e ->> 'id' from checkpoints, json_array_elements(runs) e)`
/** One row that is signed, of each table. */
const rowOf = (table: string) =>
  table === 'runs'
    ? `select ctid from runs where id ${SIGNED} and attempts > 0 limit 1`
    : table === 'authorize_events'
      ? 'select ctid from authorize_events order by time offset 3 limit 1'
      : table === 'job_versions'
        ? `select v.ctid from job_versions v join runs r on r.job = v.job join attempts a on a.run_id = r.id and a.job_version = v.version where r.id ${SIGNED} limit 1`
        : `select ctid from ${table} where run_id ${SIGNED} ${table === 'deliveries' ? "and status <> 'pending'" : ''} order by ctid limit 1`

describe.each(Object.keys(TABLES))('%s', (table) => {
  const { listed, changes } = TABLES[table] ?? { listed: [], changes: {} }

  test('each column is signed, or changes by right for a reason that is named; each edit of what is signed is noticed', async () => {
    const columns = await query<{ name: string; type: string }>(
      db,
      "select column_name as name, data_type as type from information_schema.columns where table_schema = 'public' and table_name = $1 order by 1",
      [table],
    )
    expect(columns.map(({ name }) => name).toSorted()).toEqual([...new Set([...listed, ...Object.keys(changes)])].toSorted())
    const [row] = await query(db, rowOf(table))
    expect(row, `${table} has a row that is signed`).toBeDefined()
    const unnoticed: string[] = []
    for (const { name, type } of columns) {
      const isByRight = Object.hasOwn(changes, name) && !MOVED.includes(name)
      if (isByRight) continue
      await query(db, `create table before as select * from ${table}`)
      await query(db, `update ${table} set ${name} = ${(OTHER[type] ?? 'null').replaceAll('COLUMN', name)} where ctid = (${rowOf(table)})`)
      const { faults } = await verifyStore(db, publicKey, [])
      if (faults.length === 0) unnoticed.push(name)
      await query(db, `delete from ${table}`)
      await query(db, `insert into ${table} select * from before`)
      await query(db, 'drop table before')
    }
    expect(unnoticed).toEqual([])
    expect(await verifyStore(db, publicKey, [])).toMatchObject({ faults: [] })
  })

  test('a row that is taken away is noticed', async () => {
    await query(db, `create table before as select * from ${table}`)
    await query(db, `delete from ${table} where ctid = (select ctid from ${table} where ctid = (${rowOf(table)}))`)
    const gone = await verifyStore(db, publicKey, [])
    await query(db, `delete from ${table}`)
    await query(db, `insert into ${table} select * from before`)
    await query(db, 'drop table before')
    expect(gone.faults).not.toEqual([])
  })
})
