import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { latestVersion, migrate } from '../../../../src/store/postgres/migrate.ts'
import { query, type Db } from '../../../../src/store/postgres/db.ts'
import { dumpStore } from '../../../../src/store/postgres/backup/dump.ts'
import { loadStore } from '../../../../src/store/postgres/backup/load.ts'
import { withBackup } from '../../../../src/store/postgres/backup/open.ts'
import { listTables } from '../../../../src/store/postgres/backup/tables.ts'
import { ALL_JOBS } from '../../../../src/core/rules/schedules/pause.ts'
import { listPauses } from '../../../../src/store/schedules/pauses.ts'
import { claim, opened, writeRun } from '../../../support/database/attempts.ts'
import { dumpInto, loadFrom } from '../../../support/database/backup.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../../support/database/database.ts'
import { filledByStep } from '../../../support/database/old-store.ts'

let dir: string
let file: string
let source: TestDatabase

/** What COPY has its own words for. */
const NASTY = '\\.\n\\N\t„Grüße“ \u2028\r\\'

/** A value for each type; a text, a number or an id is the same everywhere, so that rows refer to each other. */
const VALUES: Readonly<Record<string, string>> = {
  text: "'run_00000200'",
  uuid: "'00000000-0000-4000-8000-000000000001'",
  json: "'{}'",
  jsonb: "'{}'",
  bytea: String.raw`'\x5c2e0a'`,
  boolean: 'true',
  date: 'now()',
  'timestamp with time zone': 'now()',
  'text[]': "'{a}'",
  // Columns that take a few words alone.
  'budget_days.scope': "'job'",
}

/** A row in each table that has none yet. */
async function fillRest(db: Db): Promise<void> {
  const client = await db.connect()
  try {
    for (const { name } of await listTables(client)) {
      const columns = await query<{ name: string; type: string }>(
        client,
        `select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped and attnotnull and not atthasdef and attidentity = ''`,
        [name],
      )
      const [names, values] = [
        columns.map((column) => column.name),
        columns.map(({ name: column, type }) => VALUES[`${name}.${column}`] ?? VALUES[type] ?? '1'),
      ]
      const [some] = await query(client, `select from ${name} limit 1`)
      if (!some)
        await query(client, `insert into ${name} ${names.length === 0 ? 'default values' : `(${names.join()}) values (${values.join()})`}`)
    }
  } finally {
    client.release()
  }
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nightshift-backup-'))
  file = join(dir, 'whole.zst')
  source = await createTestDatabase()
  for (const statement of Object.values(filledByStep(200))) await query(source.db, statement)
  await query(source.db, `update attempts set worker = $1, output_text = to_json($1::text), output = $2`, [
    NASTY,
    String.raw`{"a": "\u0000 \\.", "n": 12345678901234567890}`,
  ])
  await fillRest(source.db)
  await dumpInto(file, source.url)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** Each table's rows as text; of those that a restore changes, what it leaves. */
async function rowsOf(db: Db): Promise<Record<string, { n: number } | undefined>> {
  const tables = await query<{ name: string }>(
    db,
    "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not in ('migrations', 'processes', 'duties', 'pauses') order by 1",
  )
  const all: Record<string, { n: number } | undefined> = {}
  for (const { name } of tables) {
    const except =
      name === 'schedule_progress'
        ? 'where false'
        : name === 'runs' || name === 'attempts'
          ? "where status not in ('running', 'queued', 'lost')"
          : ''
    const rows = await query<{ n: number; digest: string }>(
      db,
      `select count(*)::int as n, md5(string_agg(t::text, E'\\n' order by t::text)) as digest from ${name} t ${except}`,
    )
    all[name] = rows[0]
  }
  return all
}

const restored = async (from = file) => {
  const database = await createTestDatabase()
  return { ...database, ...(await loadFrom(from, database.url)), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

describe('a restored store', () => {
  test('has every row of every table as it was', async () => {
    await using copy = await restored()
    expect(await rowsOf(copy.db)).toEqual(await rowsOf(source.db))
    expect(copy.rows['runs']).toBe(200)
  })

  test('has a row in each table that a backup is to keep: one that is never filled here would prove nothing', async () => {
    const empty = Object.entries(await rowsOf(source.db)).flatMap(([name, rows]) =>
      rows?.n === 0 && name !== 'schedule_progress' ? [name] : [],
    )
    expect(empty).toEqual([])
  })

  test('numbers new rows after those that were given before', async () => {
    await using copy = await restored()
    const next = (db: Db) => query<{ n: string }>(db, "select nextval(pg_get_serial_sequence('authorize_events', 'id')) as n")
    expect(await next(copy.db)).toEqual(await next(source.db))
  })

  test('is paused, and no run is of a worker that may have gone on after the backup', async () => {
    await using copy = await restored()
    expect(await listPauses(copy.db)).toContainEqual(expect.objectContaining({ job: ALL_JOBS, reason: 'restored', pausedBy: 'ann' }))
    expect(copy.open).toBe(100)
    const open = await query<{ id: string }>(copy.db, 'select id from runs where finished_at is null order by id limit 1')
    expect(await claim(copy.db, open[0]?.id ?? '')).toMatchObject({ kind: 'held', by: `pause ${ALL_JOBS}` })
    expect(await query(copy.db, 'select 1 from attempts where finished_at is null')).toEqual([])
  })

  test('has no fire of the time since the backup to decide', async () => {
    await using copy = await restored()
    const late = (db: Db, before: string) => query(db, `select 1 from schedule_progress where decided_until < ${before}`)
    expect(await late(source.db, 'now()')).toHaveLength(1)
    expect(await late(copy.db, "(select paused_at from pauses where job = '*')")).toEqual([])
  })

  test('is as the store was at one moment, while others wrote', async () => {
    await using busy = await createTestDatabase()
    const ending = new AbortController()
    const write = async () => {
      while (!ending.signal.aborted) await opened(busy.db, await writeRun(busy.db))
    }
    const writers = [write(), write(), write()]
    await expect.poll(async () => (await query(busy.db, 'select 1 from attempts limit 9')).length).toBe(9)
    const { rows } = await dumpInto(join(dir, 'busy.zst'), busy.url)
    ending.abort()
    await Promise.all(writers)
    await using copy = await restored(join(dir, 'busy.zst'))
    // Every run of theirs has its attempt but for those between two statements.
    expect(copy.rows).toEqual(rows)
    expect(rows['runs']).toBeGreaterThanOrEqual(rows['attempts'] ?? 0)
    expect(rows['runs']).toBeLessThanOrEqual((rows['attempts'] ?? 0) + writers.length)
  })

  test('of a version before goes on as one that was migrated', async () => {
    await using old = await createEmptyDatabase()
    await migrate(old.db, { upTo: latestVersion() - 1 })
    await writeRun(old.db)
    const { head } = await dumpInto(join(dir, 'old.zst'), old.url)
    expect(head.schema).toBe(latestVersion() - 1)
    await using copy = await createEmptyDatabase()
    await migrate(copy.db, { upTo: head.schema })
    await loadFrom(join(dir, 'old.zst'), copy.url)
    await migrate(copy.db)
    expect(await query(copy.db, 'select 1 from runs')).toHaveLength(1)
  })
})

describe('a file that is no whole backup puts nothing into a store', () => {
  const damaged = (name: string, change: (text: string) => string) => {
    const path = join(dir, name)
    writeFileSync(path, zstdCompressSync(change(zstdDecompressSync(readFileSync(file)).toString('latin1')), {}))
    return path
  }
  const cases: [string, () => string, string][] = [
    ['that is cut off', () => {
      writeFileSync(join(dir, 'cut.zst'), readFileSync(file).subarray(0, -20))
      return join(dir, 'cut.zst')
    }, 'is not a whole backup'],
    ['of which a byte was changed', () => {
      const bytes = Buffer.from(readFileSync(file))
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
      writeFileSync(join(dir, 'flipped.zst'), bytes)
      return join(dir, 'flipped.zst')
    }, 'is not a whole backup'],
    ['without its last line', () => damaged('endless.zst', (text) => text.slice(0, text.lastIndexOf('-- end'))), 'it ends before its last line'],
    ['with a row less', () => damaged('less.zst', (text) => text.replace(/\nrun_0+42\t[^\n]*/, '')), 'violates foreign key'],
    ['with a fire less', () => damaged('fire.zst', (text) => text.replace(/\njob\t[^\n]*\trun\t[^\n]*/, '')), 'of its table fires 199 rows came, and it says 200'],
    ['with a table that is none', () => damaged('other.zst', (text) => text.replace('"name":"acts"', '"name":"pg_authid"')), 'its table pg_authid is not the one'],
    ['with another statement', () => damaged('statement.zst', (text) => text.replace(/^copy "acts".*$/m, 'drop table runs;')), 'are not announced'],
    ['that is something else', () => damaged('else.zst', () => '-- PostgreSQL database dump\n'), 'does not begin as a backup'],
    ['that is not packed', () => join(import.meta.dirname, 'backup.test.ts'), 'is not a whole backup'],
    ['that is not there', () => join(dir, 'nowhere.zst'), 'ENOENT'],
  ] // prettier-ignore

  test.each(cases)('%s', async (_, make, message) => {
    await using database = await createTestDatabase()
    await expect(loadFrom(make(), database.url)).rejects.toMatchObject({
      code: 'COMMAND_INVALID',
      message: expect.stringContaining(message),
    })
    expect(await query(database.db, 'select 1 from runs')).toEqual([])
    expect(await listPauses(database.db)).toEqual([])
  })

  test('and neither does a whole one, where something is', async () => {
    await using database = await createTestDatabase()
    await writeRun(database.db)
    await expect(loadFrom(file, database.url)).rejects.toMatchObject({
      code: 'COMMAND_INVALID',
      message: 'The store is not empty (job_versions, runs), and nothing is put over what is there.',
    })
    expect(await query(database.db, 'select 1 from runs')).toHaveLength(1)
  })
})

describe('a signal ends at once', () => {
  const sessionsIn = async (db: Db) =>
    (await query(db, "select 1 from pg_stat_activity where datname = current_database() and query ~* '^copy ' and state = 'active'")).length

  test('a backup whose file takes no more', async () => {
    await using database = await createTestDatabase()
    // More than every buffer between Postgres and the file holds.
    await query(
      database.db,
      `insert into result_contents (digest, bytes, media_type, encoding, content)
       select 'd' || n, 1, 'x', 'x', (select string_agg(sha256((n * 1e6 + k)::text::bytea), '') from generate_series(1, 30000) k) from generate_series(1, 8) n`,
    )
    const ending = new AbortController()
    const sink = new Writable({ write: () => ending.abort(new Error('enough')) })
    await expect(dumpStore({ url: database.url, program: 'test', sink, signal: ending.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    await expect.poll(() => sessionsIn(database.db)).toBe(0)
  })

  test('a restore whose file gives no more, and nothing of it stays', async () => {
    await using database = await createTestDatabase()
    const ending = new AbortController()
    const pipe = join(dir, 'pipe')
    spawnSync('mkfifo', [pipe])
    // Both ends, so that neither opening waits.
    const writer = await openFile(pipe, 'r+')
    const restoring = withBackup(pipe, ending.signal, (backup) =>
      loadStore({ url: database.url, backup, pause: { reason: 'restored', by: 'ann' } }),
    )
    await writer.write(readFileSync(file).subarray(0, 2000))
    ending.abort(new Error('enough'))
    await expect(restoring).rejects.toThrow('enough')
    await writer.close()
    await expect.poll(() => sessionsIn(database.db)).toBe(0)
    expect(await query(database.db, 'select 1 from runs')).toEqual([])
  })
})
