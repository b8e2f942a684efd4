import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Failure, messageOf } from '../../core/failure.ts'
import { parseKept } from '../../lib/json/parse.ts'
import { isUnavailable, sqlStateOf, storeFailure } from './faults.ts'
import { fromHereAlone, SESSION_OPTIONS } from './session.ts'

export type Db = pg.Pool

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

/** A bigint as an exact number; JSON as `parseKept` reads it: arguments of a tool may hold numbers that no value does. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, parseBigint],
  [pg.types.builtins.JSON, parseKept],
  [pg.types.builtins.JSONB, parseKept],
])

type GetTypeParser = typeof pg.types.getTypeParser

const parserOf = (oid: Parameters<GetTypeParser>[0], format: 'text' | 'binary' = 'text') =>
  (format === 'text' && PARSERS.get(oid)) || pg.types.getTypeParser(oid, format)

/** Times as RFC 3339 texts, as faces show them. */
const isoParserOf: typeof parserOf = (oid, format) => {
  const parse = parserOf(oid, format)
  return oid === pg.types.builtins.TIMESTAMPTZ ? (text: string) => new Date(parse(text)).toISOString() : parse
}

/** What a URL may say of the way to the server. pg would take any other of its own settings too, such as its bounds and the encoding, in place of ours. */
const OF_THE_ADDRESS = new Set(
  'host port user password ssl sslmode sslcert sslkey sslrootcert sslnegotiation uselibpqcompat application_name'.split(' '),
)

/** Throws `CONFIG_INVALID` for an address that pg cannot use, such as one with a certificate that is not there: told at once, and not by each connection. */
function requireUsable(connectionString: string): pg.Client {
  try {
    // oxlint-disable-next-line waits/bounded -- it does not connect
    return new pg.Client({ connectionString })
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `databaseUrl cannot be used: ${messageOf(cause)}.`,
      cure: 'Correct databaseUrl, or the files that its sslrootcert, sslcert and sslkey name.',
      cause,
    })
  }
}

/** A connection with all that a session needs and what bounds each of its waits, as pg takes it: also for a pool that another library opens. */
export function connectionTo(databaseUrl: string, timeouts: StoreTimeouts = TIMEOUTS) {
  const url = new URL(databaseUrl)
  // pg prefers the options of the URL to ours: both are said, ours last.
  const own = url.searchParams.get('options') ?? ''
  url.search = String(new URLSearchParams([...url.searchParams].filter(([name]) => OF_THE_ADDRESS.has(name))))
  requireUsable(url.href)
  return {
    // A socket is where our own Postgres is reached, and none speaks TLS.
    ...(decodeURIComponent(url.hostname).startsWith('/') ? fromHereAlone : {}),
    connectionString: url.href,
    connectionTimeoutMillis: timeouts.connectMs,
    keepAlive: true,
    statement_timeout: timeouts.statementMs,
    idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
    // The server gives up a client that takes no answer, and its locks with it; a server without the setting ignores it.
    options: `${own} -c tcp_user_timeout=${timeouts.statementMs} ${SESSION_OPTIONS}`.trim(),
    // A path that was lost answers nothing, not even that time is over.
    query_timeout: timeouts.statementMs + timeouts.answerMs,
  } satisfies pg.PoolConfig
}

/** Opens a pool. `max` is the most connections. Nothing that is asked of it waits without a bound. */
export function openDb(options: { url: string; max?: number; applicationName?: string; timeouts?: Partial<StoreTimeouts> }): Db {
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const pool = new pg.Pool({
    ...connectionTo(options.url, timeouts),
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
  // A file that the URL names may be gone, which pg throws and does not reject with.
  const client = await (async () => db.connect())().catch((error: unknown) => {
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

/**
 * The same for work that would do harm when it is done twice, tried again while the store is away or busy: one whose commit was not answered is looked up before the
 * next try.
 */
export async function transactionOnce<T>(db: Db, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let last: { id: string; result: T } | undefined
  return retryWhileUnavailable(async () => {
    if (last && (await isCommitted(db, last.id))) return last.result
    last = undefined
    return transaction(db, async (client) => {
      const result = await work(client)
      const [row] = await query<{ id: string }>(client, 'select pg_current_xact_id()::text as id')
      if (row) last = { id: row.id, result }
      return result
    })
  })
}

/** Whether a transaction was committed; one of a session that is not gone yet is waited for. */
async function isCommitted(db: Db, id: string): Promise<boolean> {
  const [row] = await query<{ status: string | null }>(db, 'select pg_xact_status($1::text::xid8) as status', [id])
  if (row?.status === 'in progress')
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: 'The store has not decided on a transaction yet whose commit it did not answer.',
    })
  return row?.status === 'committed'
}

/** How long a write that a promise rests on is tried again while the store is away. */
const PATIENCE_MS = 30_000
const PATIENCE_STEP_MS = 250

/** Runs `work` again while the store is away or busy, for 30 s after which no other try begins. `work` must do no harm when it is run twice. */
export async function retryWhileUnavailable<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'STORE_UNAVAILABLE') || performance.now() > until) throw error
      await sleep(PATIENCE_STEP_MS)
    }
  }
}
