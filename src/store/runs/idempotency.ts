import type pg from 'pg'
import { inBatches } from '../batches.ts'
import { query, transaction, type Db } from '../postgres/db.ts'
import type { RunStatus } from '../../core/run.ts'
import { insertRuns, type Inserted } from './insert.ts'

/** How long a key stands for its run. */
export const IDEMPOTENCY_HOURS = 24

export interface IdempotencyKey {
  /** Whose key it is. */
  owner: string
  key: string
  /** Of what was asked: job and body. */
  digest: string
}

/** The request that a key was used for, and its run, as that stands now. */
export interface KeyUse {
  digest: string
  runId: string
  status: RunStatus
}

/** A run that is inserted once for its key; without one, it is inserted. */
export interface InsertedOnce extends Inserted {
  key: IdempotencyKey | undefined
}

/** What keys stand for, in their order: undefined for one that is free, also since its run was removed. */
export const loadKeys = (db: Db, keys: readonly IdempotencyKey[]): Promise<(KeyUse | undefined)[]> => loadUses(db, keys, IDEMPOTENCY_HOURS)

async function loadUses(
  db: Db | pg.PoolClient,
  keys: readonly IdempotencyKey[],
  sinceHours: number | null,
): Promise<(KeyUse | undefined)[]> {
  if (keys.length === 0) return []
  const rows = await query<KeyUse & { at: number }>(
    db,
    `select g.at::int as at, k.request_digest as digest, k.run_id as "runId", r.status
     from unnest($1::text[], $2::text[]) with ordinality as g (owner, key, at)
       join idempotency_keys k using (owner, key) join runs r on r.id = k.run_id
     where $3::int is null or k.created_at >= now() - make_interval(hours => $3)`,
    [keys.map(({ owner }) => owner), keys.map(({ key }) => key), sinceHours],
    'idempotency keys known',
  )
  const uses = new Map(rows.map(({ at, ...use }) => [at, use]))
  return keys.map((_, index) => uses.get(index + 1))
}

/**
 * Inserts runs, each once for its key, all or none; no two have the same key. Gives what a key stands for already, in the order of the runs, and undefined for a run that was
 * inserted. Another request with such a key waits for these to be written, and then is given what the key stands for.
 */
export async function insertRunsOnce(db: Db, inserted: readonly InsertedOnce[]): Promise<(KeyUse | undefined)[]> {
  const keyed = inserted.flatMap(({ run, key }) => (key ? [{ ...key, runId: run.id }] : []))
  if (keyed.length === 0) {
    await insertRuns(db, inserted)
    return inserted.map(() => undefined)
  }
  return transaction(db, async (client) => {
    const mine = new Set(await claimKeys(client, keyed))
    const isOpen = ({ runId }: ClaimedKey) => !mine.has(runId)
    if (mine.size < keyed.length) for (const runId of await takeOver(client, keyed.filter(isOpen))) mine.add(runId)
    const used = keyed.filter(isOpen)
    const uses = await loadUses(client, used, null)
    const useOf = new Map(used.map(({ runId }, index) => [runId, uses[index]]))
    const own = inserted.filter(({ run }) => !useOf.has(run.id))
    if (own.length > 0) await insertRuns(client, own)
    return inserted.map(({ run }) => useOf.get(run.id))
  })
}

interface ClaimedKey extends IdempotencyKey {
  runId: string
}

const valuesOf = (keys: readonly ClaimedKey[]) => [
  keys.map(({ owner }) => owner),
  keys.map(({ key }) => key),
  keys.map(({ digest }) => digest),
  keys.map(({ runId }) => runId),
]

/** The ids of the runs whose keys were free. In one order, so that two requests with the same keys do not wait for each other. */
async function claimKeys(client: pg.PoolClient, keys: readonly ClaimedKey[]): Promise<string[]> {
  const rows = await query<{ runId: string }>(
    client,
    `insert into idempotency_keys as k (owner, key, request_digest, run_id)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as g (owner, key, digest, run_id) order by owner, key
     on conflict (owner, key) do update set request_digest = excluded.request_digest, run_id = excluded.run_id, created_at = now()
       where k.created_at < now() - make_interval(hours => $5)
     returning run_id as "runId"`,
    [...valuesOf(keys), IDEMPOTENCY_HOURS],
    'idempotency keys',
  )
  return rows.map(({ runId }) => runId)
}

/** Keys whose run was removed are free. A statement of its own: it sees what another request wrote while the one before waited for it. */
async function takeOver(client: pg.PoolClient, keys: readonly ClaimedKey[]): Promise<string[]> {
  const rows = await query<{ runId: string }>(
    client,
    `with free as (
       select k.owner, k.key, g.digest, g.run_id from idempotency_keys k
         join unnest($1::text[], $2::text[], $3::text[], $4::text[]) as g (owner, key, digest, run_id) using (owner, key)
       where not exists (select 1 from runs r where r.id = k.run_id) order by k.owner, k.key for update of k)
     update idempotency_keys k set request_digest = free.digest, run_id = free.run_id, created_at = now()
     from free where k.owner = free.owner and k.key = free.key
     returning k.run_id as "runId"`,
    valuesOf(keys),
    'idempotency keys of no run',
  )
  return rows.map(({ runId }) => runId)
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
