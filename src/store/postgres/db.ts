import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Failure, messageOf } from '../../core/failure.ts'

export type Db = pg.Pool

/**
 * SQLSTATE classes and codes that a later try can heal: no connection (08), the server stops or starts (57P), it is full (53), read-only (25006), does not
 * let us in (28, 3D000); a statement or a lock took too long (57014, 55P03), we were idle for too long (25P03), two were in each other's way (40001, 40P01).
 */
const UNAVAILABLE = /^(08|57P|53|25006|28|3D000|57014|55P03|25P03|40001|40P01)/

/** How long each thing may take that Postgres is asked for. No wait is longer, whoever is frozen. */
export interface StoreTimeouts {
  /** For a connection of the pool, and for the server to accept it. */
  connectMs: number
  statementMs: number
  /** For a lock that somebody else holds. */
  lockMs: number
  /** A session that holds a transaction, and its locks, and is silent: its process is frozen or gone. */
  idleInTransactionMs: number
  /** What is left to the server to say itself that a statement took too long, before its connection is given up. */
  answerMs: number
}

const TIMEOUTS: StoreTimeouts = { connectMs: 10_000, statementMs: 30_000, lockMs: 5000, idleInTransactionMs: 15_000, answerMs: 5000 }
/** For one statement of upkeep, of an audit, or over many runs, which takes the longer the larger the store is. */
const SLOW_STATEMENT_MS = 600_000

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

/** What bounds each wait of a session, as pg takes it: also for a pool that another library opens. */
export const boundsOf = (timeouts: StoreTimeouts = TIMEOUTS) =>
  ({
    connectionTimeoutMillis: timeouts.connectMs,
    keepAlive: true,
    statement_timeout: timeouts.statementMs,
    idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
    // The server gives up a client that takes no answer, and its locks with it; a server without the setting ignores it.
    options: `-c tcp_user_timeout=${timeouts.statementMs}`,
    // A path that was lost answers nothing, not even that time is over.
    query_timeout: timeouts.statementMs + timeouts.answerMs,
  }) satisfies pg.PoolConfig

/** Opens a pool. `max` is the most connections. Nothing that is asked of it waits without a bound. */
export function openDb(options: { url: string; max?: number; applicationName?: string; timeouts?: Partial<StoreTimeouts> }): Db {
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const pool = new pg.Pool({
    connectionString: options.url,
    ...boundsOf(timeouts),
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
    application_name: options.applicationName ?? 'nightshift',
    types: { getTypeParser: parserOf },
    lock_timeout: timeouts.lockMs,
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

/** True when a lock was not given in time. */
export const isLockTimeout = (error: unknown): boolean => sqlStateOf(error) === '55P03'

/** True for errors that a later try can heal: the server is away, busy, full or read-only, or does not answer in time. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return (
    UNAVAILABLE.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /terminated|timeout exceeded|read timeout|Connection ended|not queryable|read-only transaction/i.test(error.message)
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

/** Connections whose transaction may take long. */
const slow = new WeakSet<object>()

async function send<Row extends pg.QueryResultRow>(db: Db | pg.PoolClient, statement: pg.QueryConfig): Promise<Row[]> {
  try {
    const timeout = slow.has(db) ? { query_timeout: SLOW_STATEMENT_MS + TIMEOUTS.answerMs } : {}
    return (await db.query<Row>({ ...statement, ...timeout })).rows
  } catch (error) {
    throw storeFailure(error)
  }
}

/** Runs `work` in one transaction on one connection: all of it, or nothing. */
export const transaction = <T>(db: Db, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => within(db, 'begin', work)

/** The same for work whose statements take the longer the larger the store is: up to ten minutes each. */
export const slowTransaction = <T>(db: Db, work: (client: pg.PoolClient) => Promise<T>): Promise<T> =>
  within(db, `begin; set local statement_timeout = ${SLOW_STATEMENT_MS}`, async (client) => {
    slow.add(client)
    try {
      return await work(client)
    } finally {
      slow.delete(client)
    }
  })

/** One statement that may take so long. */
export const slowQuery = <Row extends pg.QueryResultRow>(db: Db, text: string, values: unknown[] = []): Promise<Row[]> =>
  slowTransaction(db, (client) => query<Row>(client, text, values))

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
    // A server that did not answer would not answer this either; it rolls back when the connection is gone.
    broken = hasNoAnswer(error) || !(await client.query('rollback').then(() => true, () => false)) // prettier-ignore
    throw storeFailure(error)
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}

/** True when Postgres said nothing at all: the connection is broken, or silent. */
const hasNoAnswer = (error: unknown) =>
  sqlStateOf(error) === undefined && (error instanceof Failure ? error.code === 'STORE_UNAVAILABLE' : isUnavailable(error))

/** How long a write that a promise rests on is tried again while the store is away. */
const PATIENCE_MS = 30_000
const PATIENCE_STEP_MS = 250

/** Runs `work` again while the store is away or busy, for 30 s after which no other try begins. `work` must do no harm when it is run twice. */
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
export async function pingDb(db: Db): Promise<void> {
  const [row] = await query<{ readOnly: boolean }>(db, `select current_setting('transaction_read_only') = 'on' as "readOnly"`)
  if (row?.readOnly)
    throw new Failure({ code: 'STORE_UNAVAILABLE', message: 'Postgres answers and takes no writes: it is a standby, or read-only.' })
}
