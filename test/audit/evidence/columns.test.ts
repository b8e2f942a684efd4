import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { RECORD_TABLES, type RecordRule } from '../../../src/store/audit/record-rules.ts'
import { KEPT_4, LINE_CHANGES, LINE_COLUMNS, RUN_TABLES, RUN_TABLES_3, VERSION_COLUMNS } from '../../../src/store/audit/row-rules.ts'
import { columnsOf } from '../../../src/store/audit/signed-rows.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { fillStore } from '../../support/database/large-store.ts'
import { signerOf } from '../../support/evidence/signer.ts'

/** Tables of which no checkpoint says anything, and why. */
const OUTSIDE: Record<string, string> = {
  api_tokens: 'when each token was used last',
  bad_rows: 'what a duty met of late',
  budget_days: 'adds up while a day lasts',
  checkpoints: 'the chain itself',
  connection_looks: 'when a route list was looked at',
  duties: 'how processes are now',
  idempotency_keys: 'forgotten after days',
  log_gaps: 'says what is missing: without it the lines are missing all the same',
  log_positions: 'where reading a log stopped',
  migrations: 'which version the store is of',
  pauses: 'how it stands now',
  processes: 'how processes are now',
  result_contents: 'found by its digest, which stands in the results of calls',
  run_contents: 'which content results name, so that it is kept as long as they are',
  run_account_ends: 'how accounts stand now; run_accounts has those that were used',
  unseen_answers: 'an estimate, which stands in the usage of its run',
  served_requests: 'for the join alone, and forgotten after days',
  schedule_progress: 'how far schedules are',
  scheduler_presence: 'how it stands now',
  schedules: 'of a version before',
}

interface TableOf {
  listed: readonly string[]
  changes: Readonly<Record<string, string>>
}

const RECORDS: Readonly<Record<string, RecordRule>> = RECORD_TABLES

const TABLES: Record<string, TableOf> = {
  ...Object.fromEntries(
    Object.entries({ ...RUN_TABLES, ...RUN_TABLES_3 }).map(([table, rule]) => [
      table,
      { listed: [...columnsOf(rule), ...(KEPT_4[table] ?? [])], changes: rule.changes ?? {} },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(RECORDS).map(([table, { said, kept, changes = {} }]) => [table, { listed: [...said, ...kept], changes }]),
  ),
  job_versions: { listed: VERSION_COLUMNS, changes: {} },
  authorize_events: { listed: LINE_COLUMNS, changes: LINE_CHANGES },
}

/** Edits of columns that stand in a list, and that are like what happens by right. */
const LIKE_RIGHT: Record<string, readonly string[]> = { acts: ['runs'] }

/** What a row that is added to what is signed has otherwise than the row that it is a copy of. */
const ADDED: Record<string, string> = {
  attempts: 'number = 0', turns: 'number = number + 1000', tool_calls: 'id = gen_random_uuid()', responses: 'turn = turn + 1000', gateway_requests: 'request_id_sent = gen_random_uuid()',
  deliveries: 'id = gen_random_uuid()', run_accounts: `account_id = 'another'`, run_ends: 'conversation = 0', run_acts: `act_id = (select max(id::text)::uuid from acts)`,
  acts: `id = gen_random_uuid(), at = now() - interval '2 days'`, alarms: `id = gen_random_uuid(), sent_at = now() - interval '2 days'`,
  fires: `job = 'another', created_at = now() - interval '2 days'`, pruned_runs: `run_id = 'another', pruned_at = now() - interval '2 days'`,
  suspects: `account_id = 'another', since = now() - interval '2 days'`, authorize_events: `id = 30, line_digest = 'another', gateway_request = null`,
} // prettier-ignore
/** Stand in no list of their own, and are compared all the same. */
const MOVED = ['retry_of', 'output', 'output_text', 'ending', 'mended']

/** Another value of a type. */
const OTHER: Record<string, string> = {
  text: `'another'`, uuid: 'gen_random_uuid()', json: `'{"another":1}'`, jsonb: `'{"another":"1"}'`, boolean: 'not coalesce(COLUMN, false)', integer: 'coalesce(COLUMN, 0) + 7000', bigint: 'coalesce(COLUMN, 0) + 70000000',
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
  await query(db, 'delete from authorize_events where id > 60 or id = 30')
  await query(db, "delete from runs where id > 'run_00000060'")
  await query(db, "update responses set state = 'over'")
  await query(db, 'delete from checkpoints')
  await query(db, "delete from pruned_runs where run_id > 'old_run_00000060'")
  await query(db, 'delete from alarms where ctid not in (select ctid from alarms limit 60)')
  await query(db, 'delete from fires where run_id is null')
  await query(db, 'delete from run_acts where act_id not in (select id from acts order by id limit 60)')
  await query(db, 'delete from acts where id not in (select id from acts order by id limit 60)')
  // What came before a retry.
  for (const table of ['runs', 'attempts']) await query(db, `update ${table} set conversation = 2`)
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
function rowOf(table: string): string {
  if (table === 'runs') return `select ctid from runs where id ${SIGNED} and attempts > 0 limit 1`
  if (table === 'authorize_events') return 'select ctid from authorize_events order by time offset 3 limit 1'
  if (Object.hasOwn(RECORDS, table)) return `select ctid from ${table} order by ctid limit 1`
  if (table === 'job_versions')
    return `select v.ctid from job_versions v join runs r on r.job = v.job join attempts a on a.run_id = r.id and a.job_version = v.version where r.id ${SIGNED} limit 1`
  return `select ctid from ${table} where run_id ${SIGNED} ${table === 'deliveries' ? "and status <> 'pending'" : ''} order by ctid limit 1`
}

/** What is found after an edit, which is taken back. */
async function faultsAfter(table: string, edit: string): Promise<string[]> {
  await query(db, `create table before as select * from ${table}`)
  await query(db, edit)
  const { faults } = await verifyStore(db, publicKey, [])
  await query(db, `delete from ${table}`)
  await query(db, `insert into ${table} select * from before`)
  await query(db, 'drop table before')
  return faults
}

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
      if (isByRight || LIKE_RIGHT[table]?.includes(name)) continue
      const other = (OTHER[type] ?? 'null').replaceAll('COLUMN', name)
      const faults = await faultsAfter(table, `update ${table} set ${name} = ${other} where ctid = (${rowOf(table)})`)
      if (faults.length === 0) unnoticed.push(name)
    }
    expect(unnoticed).toEqual([])
    expect(await verifyStore(db, publicKey, [])).toMatchObject({ faults: [] })
  })

  test('a row that is taken away is noticed', async () => {
    expect(await faultsAfter(table, `delete from ${table} where ctid = (${rowOf(table)})`)).not.toEqual([])
  })

  test.runIf(ADDED[table] !== undefined)('a row that is added to those of a time that is signed is noticed', async () => {
    await query(db, `create table added as select * from ${table} where ctid = (${rowOf(table)})`)
    await query(db, `update added set ${ADDED[table] ?? ''}`)
    expect(await faultsAfter(table, `insert into ${table} select * from added`)).not.toEqual([])
    await query(db, 'drop table added')
  })
})

test('rows can be added to every table but those whose rows are runs of their own', () => {
  expect(Object.keys(TABLES).filter((table) => ADDED[table] === undefined)).toEqual(['runs', 'job_versions'])
})
