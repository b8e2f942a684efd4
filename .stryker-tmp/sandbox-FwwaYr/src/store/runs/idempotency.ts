// @ts-nocheck
import { query, transaction, type Db } from '../postgres/db.ts'
import { insertRun, type NewRun } from './insert.ts'

/** How long a key stands for its run. */
export const IDEMPOTENCY_HOURS = 24

export interface IdempotencyKey {
  /** Whose key it is. */
  owner: string
  key: string
  /** Of what was asked: job and body. */
  digest: string
}

export type InsertedOnce = { kind: 'inserted' } | { kind: 'same'; runId: string } | { kind: 'mismatch' }

/** Inserts a run once for its key. A second request waits for the first to be written, and then finds its run. */
export async function insertRunOnce(
  db: Db,
  run: NewRun,
  definition: unknown,
  { owner, key, digest }: IdempotencyKey,
): Promise<InsertedOnce> {
  return transaction(db, async (client) => {
    const mine = await query(
      client,
      `insert into idempotency_keys as k (owner, key, request_digest, run_id) values ($1, $2, $3, $4)
       on conflict (owner, key) do update set request_digest = $3, run_id = $4, created_at = now() where k.created_at < now() - make_interval(hours => $5)
       returning 1`,
      [owner, key, digest, run.id, IDEMPOTENCY_HOURS],
      'idempotency key',
    )
    if (mine.length > 0) {
      await insertRun(client, run, definition)
      return { kind: 'inserted' }
    }
    const [known] = await query<{ request_digest: string; run_id: string }>(
      client,
      'select request_digest, run_id from idempotency_keys where owner = $1 and key = $2',
      [owner, key],
    )
    return known?.request_digest === digest ? { kind: 'same', runId: known.run_id } : { kind: 'mismatch' }
  })
}

/** True when the key stands for a run. */
export async function hasKey(db: Db, { owner, key }: Omit<IdempotencyKey, 'digest'>): Promise<boolean> {
  const rows = await query(
    db,
    'select 1 from idempotency_keys where owner = $1 and key = $2 and created_at >= now() - make_interval(hours => $3)',
    [owner, key, IDEMPOTENCY_HOURS],
    'idempotency key known',
  )
  return rows.length > 0
}

/** Forgets keys that no longer stand for a run. */
export async function forgetOldKeys(db: Db): Promise<void> {
  await query(db, 'delete from idempotency_keys where created_at < now() - make_interval(hours => $1)', [IDEMPOTENCY_HOURS])
}
