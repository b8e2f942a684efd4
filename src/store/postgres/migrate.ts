import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { Failure } from '../../core/failure.ts'
import { checkSession } from './session.ts'
import type { Db } from './db.ts'
import { sqlStateOf, storeFailure } from './faults.ts'

const DIR = join(import.meta.dirname, 'migrations')
/** Any number that no other program takes on this database: `nsft` in ASCII. */
export const LOCK_KEY = 0x6e736674
/** A step gives way to readers after this time, so that no worker waits behind it for longer. */
const LOCK_TIMEOUT_MS = 500
const RETRY_MS = 1000
/** How long a step is tried again, and how long another process that migrates is waited for; and what one statement of a step may take. */
const PATIENCE_MS = 600_000
const STATEMENT_MS = 24 * 3_600_000
/**
 * A step that begins with this line runs outside of a transaction, a statement at a time, and may be run again. Its statements build and drop indexes
 * concurrently: nobody waits behind them, so they wait for readers as long as a step is tried.
 */
const STATEMENT_BY_STATEMENT = '-- statement by statement\n'

/** Names the earliest version of the store whose programs still work after this step; without it that of the step before stays. */
const WORKS_WITH = /^-- works with (\d{1,6})$/m
/** Programs from this version on know of the rule. */
const RULE_SINCE = 17

interface Migration {
  version: number
  sql: string
  worksWith: number
}

function readMigrations(): Migration[] {
  let worksWith = RULE_SINCE
  return readdirSync(DIR)
    .filter((name) => /^\d{6}\.sql$/.test(name))
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(DIR, name), 'utf8')
      worksWith = Number(WORKS_WITH.exec(sql)?.[1] ?? worksWith)
      return { version: Number(name.slice(0, 6)), sql, worksWith }
    })
}

/** The version of the store that this program makes. */
export const latestVersion = (): number => readMigrations().at(-1)?.version ?? 0

/**
 * Brings the database up to this program's version, or to an earlier one (`upTo`), a step at a time under an advisory lock. Returns the version.
 * Workers and readers may be at work: a step that does not get its locks at once gives way and is tried again, for ten minutes.
 * Before, it looks whether sessions are as they must be (`STORE_UNSUITABLE`). A database that a newer program migrated is left as it is; `STORE_TOO_NEW` when a step of it said that this program does not work any more.
 */
export async function migrate(db: Db, { upTo }: { upTo?: number } = {}): Promise<number> {
  const known = readMigrations()
  const latest = known.at(-1)?.version ?? 0
  const wanted = known.filter(({ version }) => version <= (upTo ?? latest))
  const client = await db.connect().catch((error: unknown) => {
    throw storeFailure(error)
  })
  // A connection that breaks while it is lent emits an error; the query under way fails with it.
  client.on('error', () => {})
  try {
    await checkSession(client)
    if (stepsAfter(await versionOf(client, latest), wanted).length > 0) {
      await client.query(`set statement_timeout = ${STATEMENT_MS}`)
      await lock(client)
      for (const step of stepsAfter(await versionOf(client, latest), wanted)) await applyPatiently(client, step)
    }
    return wanted.at(-1)?.version ?? 0
  } catch (error) {
    throw storeFailure(error)
  } finally {
    client.release(true) // and with the connection its lock and its settings
  }
}

const stepsAfter = (current: number, steps: readonly Migration[]) => steps.filter(({ version }) => version > current)

async function versionOf(client: pg.PoolClient, latest: number): Promise<number> {
  const { rows: tables } = await client.query<{ present: boolean }>("select to_regclass('migrations') is not null as present")
  if (!tables[0]?.present) return 0
  const { rows } = await client.query<{ version: number }>('select coalesce(max(version), 0)::int as version from migrations')
  const current = rows[0]?.version ?? 0
  if (current <= latest) return current
  const { rows: steps } = await client.query<{ worksWith: number }>(
    `select coalesce(max(works_with), $1::int) as "worksWith" from migrations where version > $2`,
    [current, latest],
  )
  if ((steps[0]?.worksWith ?? current) <= latest) return current
  throw new Failure({
    code: 'STORE_TOO_NEW',
    message: `The database is at version ${current}; this program knows versions up to ${latest}.`,
  })
}

/** One process at a time migrates. The lock is asked for again and again: a statement that waits for it would hold up an index that is built. */
async function lock(client: pg.PoolClient): Promise<void> {
  for (const until = performance.now() + PATIENCE_MS; ;) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [LOCK_KEY])
    if (rows[0]?.got) return
    if (performance.now() > until)
      throw new Failure({ code: 'STORE_UNAVAILABLE', message: 'Another process has been migrating the database for ten minutes.' })
    await sleep(RETRY_MS / 10)
  }
}

/** SQLSTATEs of a step that is in the way of others, and gives way: lock_not_available and deadlock_detected. */
const IN_THE_WAY = new Set(['55P03', '40P01'])

async function applyPatiently(client: pg.PoolClient, step: Migration): Promise<void> {
  for (const until = performance.now() + PATIENCE_MS; ;) {
    try {
      return await apply(client, step)
    } catch (error) {
      await client.query('rollback').catch(() => {})
      if (!IN_THE_WAY.has(sqlStateOf(error) ?? '') || performance.now() > until) throw error
      await sleep(RETRY_MS)
    }
  }
}

async function apply(client: pg.PoolClient, { version, sql, worksWith }: Migration): Promise<void> {
  const isConcurrent = sql.startsWith(STATEMENT_BY_STATEMENT)
  const run = (text: string) => {
    const statement = { text, query_timeout: STATEMENT_MS }
    return client.query(statement)
  }
  await client.query(`set lock_timeout = ${isConcurrent ? PATIENCE_MS : LOCK_TIMEOUT_MS}`)
  if (isConcurrent) for (const statement of sql.split(/;\s*$/m)) await run(statement)
  await client.query('begin')
  if (version === 1)
    await client.query('create table if not exists migrations (version int primary key, applied_at timestamptz not null default now())')
  if (!isConcurrent) await run(sql)
  if (version < RULE_SINCE) await client.query('insert into migrations (version) values ($1)', [version])
  else await client.query('insert into migrations (version, works_with) values ($1, $2)', [version, worksWith])
  await client.query('commit')
}
