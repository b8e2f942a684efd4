// What a failed statement or connection means, by the class of its error and not by its words.
import pg from 'pg'
import { Failure, messageOf } from '../../core/failure.ts'
import { poolerFailure, refusesOptions } from './session.ts'

/**
 * SQLSTATE classes and codes that a later try can heal: no connection (08), the server stops or starts (57P), it is full (53), its disk or itself has a fault
 * (58, XX), read-only (25006), does not let us in (28, 3D000); a statement or a lock took too long (57014, 55P03), we were idle for too long (25P03), two were in
 * each other's way (40).
 */
const UNAVAILABLE = /^(08|57P|53|58|XX|25006|28|3D000|57014|55P03|25P03|40)/
/** The user may not do what we need, or has no schema to do it in. */
const NO_RIGHTS = /^(42501|3F000)$/
/** Codes of libuv (ECONNREFUSED, EAI_AGAIN) and of TLS (CERT_HAS_EXPIRED, DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_…, ERR_SSL_…): what is between us and the server. */
const OF_THE_PATH = /^(E[A-Z]+|EAI_[A-Z]+|ERR_(TLS|SSL|SOCKET|OSSL)_.*|.*CERT.*|UNABLE_TO_.*)$/
/** What pg says without a code. */
const OF_THE_DRIVER =
  /terminated|timeout e(xceeded|xpired)|read timeout|Connection ended|not queryable|read-only transaction|SSL connection|^SASL|Password must be a string/i

/** No connection is left (`too_many_connections`): of the server, the database or the role. */
const NO_CONNECTION = '53300'
const CONNECTIONS =
  'More connections are asked for than allowed: raise max_connections of the server, or the limit of the role or database (alter role … connection limit …), or start fewer processes; nightshift doctor says how many one opens.'

const RIGHTS =
  'Give the user of databaseUrl what is named: it owns its tables, and may create in its database and in a schema of its search path (grant create on database … to …; grant create on schema public to …).'

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
  // FATAL ends the session: it is about the connection and what it asked for, and about no statement.
  if (error instanceof pg.DatabaseError)
    return error.severity === 'FATAL' || UNAVAILABLE.test(code) || /read-only transaction/.test(error.message)
  return OF_THE_PATH.test(code) || OF_THE_DRIVER.test(error.message)
}

/** The same error as a `Failure` when the store is away or cannot be used as it is, so that callers can branch on its code. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof Failure) return error
  if (refusesOptions(error)) return poolerFailure(error)
  if (NO_RIGHTS.test(sqlStateOf(error) ?? ''))
    return new Failure({ code: 'STORE_UNSUITABLE', message: `Postgres: ${messageOf(error)}.`, cure: RIGHTS, cause: error })
  if (!isUnavailable(error)) return error
  const cure = sqlStateOf(error) === NO_CONNECTION ? { cure: CONNECTIONS } : {}
  return new Failure({ code: 'STORE_UNAVAILABLE', message: `Postgres: ${messageOf(error)}.`, cause: error, ...cure })
}
