import type pg from 'pg'
import { inBatches } from '../batches.ts'
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

/** The request that a key was used for, and its run. */
export interface KeyUse {
  digest: string
  runId: string
}

const USE = 'request_digest as digest, run_id as "runId"'

/** What a key stands for: undefined for one that is free, also since its run was removed. */
export async function loadKey(db: Db, { owner, key }: Omit<IdempotencyKey, 'digest'>): Promise<KeyUse | undefined> {
  const [use] = await query<KeyUse>(
    db,
    `select ${USE} from idempotency_keys k
     where owner = $1 and key = $2 and created_at >= now() - make_interval(hours => $3)
       and exists (select 1 from runs r where r.id = k.run_id)`,
    [owner, key, IDEMPOTENCY_HOURS],
    'idempotency key known',
  )
  return use
}

/** Inserts a run once for its key. A second request waits for the first to be written, and then is given what the key stands for. */
export async function insertRunOnce(
  db: Db,
  run: NewRun,
  definition: unknown,
  { owner, key, digest }: IdempotencyKey,
): Promise<KeyUse | undefined> {
  return transaction(db, async (client) => {
    const mine = await query(
      client,
      `insert into idempotency_keys as k (owner, key, request_digest, run_id) values ($1, $2, $3, $4)
       on conflict (owner, key) do update set request_digest = $3, run_id = $4, created_at = now()
         where k.created_at < now() - make_interval(hours => $5)
       returning 1`,
      [owner, key, digest, run.id, IDEMPOTENCY_HOURS],
      'idempotency key',
    )
    const isMine = mine.length > 0 || (await takeOver(client, run.id, { owner, key, digest }))
    if (!isMine) {
      const [use] = await query<KeyUse>(client, `select ${USE} from idempotency_keys where owner = $1 and key = $2`, [owner, key])
      return use
    }
    await insertRun(client, run, definition)
    return undefined
  })
}

/** A key whose run was removed is free. A statement of its own: it sees what another request wrote while the one before waited for it. */
async function takeOver(client: pg.PoolClient, runId: string, { owner, key, digest }: IdempotencyKey): Promise<boolean> {
  const taken = await query(
    client,
    `update idempotency_keys k set request_digest = $3, run_id = $4, created_at = now()
     where owner = $1 and key = $2 and not exists (select 1 from runs r where r.id = k.run_id)
     returning 1`,
    [owner, key, digest, runId],
    'idempotency key of no run',
  )
  return taken.length > 0
}

/** Forgets keys that no longer stand for a run. */
export async function forgetOldKeys(db: Db): Promise<void> {
  await inBatches(async (most) => {
    const gone = await query(
      db,
      `delete from idempotency_keys where ctid = any(array(
         select ctid from idempotency_keys where created_at < now() - make_interval(hours => $1) limit $2 for update skip locked)) returning 1`,
      [IDEMPOTENCY_HOURS, most],
    )
    return gone.length
  })
}
