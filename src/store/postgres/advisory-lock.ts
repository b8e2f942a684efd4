import type pg from 'pg'
import { query, transaction, type Db } from './db.ts'

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
  return transaction(db, async (client) => {
    await client.query(`set local lock_timeout = ${WAIT_MS}; set local statement_timeout = ${WAIT_MS + 1000};
      set local idle_in_transaction_session_timeout = ${HOLD_MS}`)
    await lockName(client, name)
    return work()
  })
}
