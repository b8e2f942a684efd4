// @ts-nocheck
import type { Wake } from '../../core/ports/wake.ts'
import type pg from 'pg'
import { query, transaction, type Db } from '../postgres/db.ts'
import { WAKEABLE } from './wakeable.ts'

/** Waits until no other claim is counted under the limits of this account and job. Everybody locks in this order. */
export async function lockLimits(client: pg.PoolClient, names: { account?: string | undefined; job?: string | undefined }): Promise<void> {
  for (const [scope, name] of [['account', names.account] as const, ['job', names.job] as const])
    if (name !== undefined) await query(client, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [`nightshift ${scope} ${name}`])
}

const nextHeldBy = (parameter: string) =>
  `select id from runs where held_by = ${parameter} and status = 'queued' and finished_at is null order by priority, id limit 1 for update skip locked`

/**
 * Lets the next run go on that the limit of this account held, and the next that the limit of this job held, when one of its runs has ended or gave its
 * place up: there may be a place for one of them alone, and then the other is held again by what it lacks. It waits for claims that are being counted:
 * one of them may be held because of the run that has ended.
 */
export async function releaseNext(db: Db, names: { account: string; job?: string | undefined }): Promise<Wake[]> {
  return transaction(db, async (client) => {
    await lockLimits(client, names)
    return query<Wake>(
      client,
      `with of_account as (${nextHeldBy('$1')}), of_job as (${nextHeldBy('$2')})
       update runs set held_by = null where id in (select id from of_account union all select id from of_job) returning ${WAKEABLE}`,
      [`account ${names.account}`, `job ${names.job ?? ''}`],
      'release next',
    )
  })
}

const STALE_S = 30

/** Lets runs go on whose hold may be over: a pause that was lifted, a limit that was raised, a worker that died before it released them; and those that expire. */
export async function releaseStale(db: Db, limit = 500): Promise<Wake[]> {
  return query<Wake>(
    db,
    `update runs set held_by = null where id in (
       select id from runs r where held_by is not null and status = 'queued' and finished_at is null
         and case when attempts = 0 and expire_at <= now() then true when held_by like 'pause %' then not exists (select 1 from pauses p where p.job in (r.job, '*'))
             else held_at < now() - make_interval(secs => $1) end
       order by priority, id limit $2 for update skip locked)
     returning ${WAKEABLE}`,
    [STALE_S, limit],
  )
}
