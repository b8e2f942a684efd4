import type pg from 'pg'
import { Failure } from '../../core/failure.ts'
import { query, slowTransaction, type Db } from './db.ts'
import { isLockTimeout } from './faults.ts'

const WAIT_MS = 60_000
/** A process that is frozen loses the lock after this time. */
const HOLD_MS = 600_000

/** Locks a name until the transaction is over. */
export async function lockName(client: pg.PoolClient, name: string): Promise<void> {
  await query(client, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [`nightshift ${name}`], 'lock name')
}

/**
 * Runs `work` while no other process does work of the same name. It is a mutex and no transaction: `work` uses connections of its own, and what
 * it wrote stays when it fails. `STORE_UNAVAILABLE` when another process keeps the lock for a minute.
 */
export async function withAdvisoryLock<T>(db: Db, name: string, work: () => Promise<T>): Promise<T> {
  return slowTransaction(db, async (client) => {
    await client.query(`set local lock_timeout = ${WAIT_MS}; set local idle_in_transaction_session_timeout = ${HOLD_MS}`)
    await lockName(client, name).catch((cause: unknown) => {
      if (!isLockTimeout(cause)) throw cause
      throw new Failure({
        code: 'STORE_UNAVAILABLE',
        message: `Another process has been at the same work (${name}) for ${WAIT_MS / 1000} s.`,
        cure: 'See what that process does (nightshift status); when it was silent for ten minutes, it loses the work.',
        cause,
      })
    })
    return work()
  })
}
