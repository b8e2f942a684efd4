import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Failure, messageOf } from '../../core/failure.ts'

export type Db = pg.Pool

/** SQLSTATE classes and codes that mean the server is not there or not writable, rather than a mistake of ours. */
const UNAVAILABLE = /^(08|57P|53|25006|28|3D000)/

/** A bigint as a number. One that no number holds exactly is refused, and never rounded. */
function parseBigint(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new Failure({ code: 'INTERNAL_ERROR', message: `The store holds ${text}, and no number that is this large can be trusted.` })
}

type GetTypeParser = typeof pg.types.getTypeParser

const parserOf = (oid: Parameters<GetTypeParser>[0], format: 'text' | 'binary' = 'text') =>
  oid === pg.types.builtins.INT8 && format === 'text' ? parseBigint : pg.types.getTypeParser(oid, format)

/** Times as RFC 3339 texts, as faces show them. */
const isoParserOf: typeof parserOf = (oid, format) => {
  const parse = parserOf(oid, format)
  return oid === pg.types.builtins.TIMESTAMPTZ ? (text: string) => new Date(parse(text)).toISOString() : parse
}

/** Opens a pool. `max` is the most connections; a query waits for a free one at most 10 s. */
export function openDb(options: { url: string; max?: number; applicationName?: string }): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: options.applicationName ?? 'nightshift',
    types: { getTypeParser: parserOf },
  })
  // An idle connection that breaks is replaced by the pool; the next query says what is wrong.
  pool.on('error', () => {})
  return pool
}

/** The SQLSTATE of an error that Postgres answered with; undefined for any other, such as a broken connection. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code
  return error instanceof Failure ? sqlStateOf(error.cause) : undefined
}

/** True for errors that a later try can heal: the server is away, starting, full or read-only. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (
    UNAVAILABLE.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /terminated|timeout exceeded|Connection ended|not queryable|read-only transaction/i.test(error.message)
  )
}

/** The same error as a `Failure` when the store is away, so that callers can branch on its code. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof Failure || !isUnavailable(error)) return error
  return new Failure({ code: 'STORE_UNAVAILABLE', message: `Postgres: ${messageOf(error)}.`, cause: error })
}

/** Runs a query; a store that is away becomes `STORE_UNAVAILABLE`. A `name` makes it a prepared statement. */
export async function query<Row extends pg.QueryResultRow>(
  db: Db | pg.PoolClient,
  text: string,
  values: unknown[] = [],
  name?: string,
): Promise<Row[]> {
  return send<Row>(db, { text, values, ...(name !== undefined && { name }) })
}

/** The same for rows that are shown: their times are RFC 3339 texts. */
export async function queryIso<Row extends pg.QueryResultRow>(
  db: Db | pg.PoolClient,
  text: string,
  values: unknown[] = [],
  name?: string,
): Promise<Row[]> {
  return send<Row>(db, { text, values, types: { getTypeParser: isoParserOf }, ...(name !== undefined && { name }) })
}

async function send<Row extends pg.QueryResultRow>(db: Db | pg.PoolClient, statement: pg.QueryConfig): Promise<Row[]> {
  try {
    return (await db.query<Row>(statement)).rows
  } catch (error) {
    throw storeFailure(error)
  }
}

/** Runs `work` in one transaction on one connection: all of it, or nothing. */
export const transaction = <T>(db: Db, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => within(db, 'begin', work)

/** Reads several things as they were at one moment. */
export const snapshot = <T>(db: Db, work: (client: pg.PoolClient) => Promise<T>): Promise<T> =>
  within(db, 'begin isolation level repeatable read read only', work)

async function within<T>(db: Db, begin: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await db.connect().catch((error: unknown) => {
    throw storeFailure(error)
  })
  // A connection that breaks while it is lent emits an error; the query under way fails with it.
  const ignore = () => {}
  client.on('error', ignore)
  let broken = false
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true
    })
    throw storeFailure(error)
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}

/** How long a write that a promise rests on is tried again while the store is away. */
const PATIENCE_MS = 30_000
const PATIENCE_STEP_MS = 250

/** Runs `work` again while the store is away, for at most 30 s. `work` must do no harm when it is run twice. */
export async function retryWhileUnavailable<T>(work: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'STORE_UNAVAILABLE') || Date.now() > until) throw error
      await sleep(PATIENCE_STEP_MS)
    }
  }
}

/** Fails when Postgres does not answer. */
export const pingDb = (db: Db) => query(db, 'select 1')
