import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../core/failure.ts'
import { transaction, type Db } from './db.ts'

const DIR = join(import.meta.dirname, 'migrations')
/** Any number that no other program takes on this database: `nsft` in ASCII. */
const LOCK_KEY = 0x6e736674

interface Migration {
  version: number
  sql: string
}

function readMigrations(): Migration[] {
  return readdirSync(DIR)
    .filter((name) => /^\d{6}\.sql$/.test(name))
    .toSorted()
    .map((name) => ({ version: Number(name.slice(0, 6)), sql: readFileSync(join(DIR, name), 'utf8') }))
}

/**
 * Brings the database up to this program's version, under an advisory lock, all steps in one transaction. Returns the version.
 * A database that a newer program migrated is refused with `STORE_TOO_NEW`, and nothing is changed.
 */
export async function migrate(db: Db): Promise<number> {
  const migrations = readMigrations()
  const latest = migrations.at(-1)?.version ?? 0
  return transaction(db, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY])
    const { rows: tables } = await client.query<{ present: boolean }>("select to_regclass('migrations') is not null as present")
    if (!tables[0]?.present)
      await client.query('create table migrations (version int primary key, applied_at timestamptz not null default now())')
    const { rows } = await client.query<{ version: number }>('select coalesce(max(version), 0)::int as version from migrations')
    const current = rows[0]?.version ?? 0
    if (current > latest) {
      throw new Failure({
        code: 'STORE_TOO_NEW',
        message: `The database is at version ${current}; this program knows versions up to ${latest}.`,
      })
    }
    for (const { version, sql } of migrations.filter((migration) => migration.version > current)) {
      await client.query(sql)
      await client.query('insert into migrations (version) values ($1)', [version])
    }
    return latest
  })
}
