import type pg from 'pg'
import type { Wake } from '../../core/ports/wake.ts'
import { lockName } from '../postgres/advisory-lock.ts'
import { query, transaction, type Db } from '../postgres/db.ts'
import { OBSTACLE, WAKEABLE } from './wakeable.ts'

/** A run takes a slot of its job's limit, and of its account's, while a worker has it. */
export const TAKES_SLOT = "status = 'running' and finished_at is null"

/** What holds a run, as its row says it: the limit of its job or of its account, or the pause of its job or of all jobs (`*`). */
export const holdName = (what: 'job' | 'account' | 'pause', name: string): string => `${what} ${name}`

/** A run that something holds: it stays out of the queue until it is let go. One that was ended meanwhile is not held any more. */
const IS_HELD = "held_by is not null and status = 'queued' and finished_at is null"
const IS_HELD_BY_PAUSE = `held_by like '${holdName('pause', '%')}'`

/** Waits until no other claim is counted under the limits of this account and job. Everybody locks in this order. */
export async function lockLimits(client: pg.PoolClient, names: { account?: string | undefined; job?: string | undefined }): Promise<void> {
  for (const [scope, name] of [['account', names.account] as const, ['job', names.job] as const])
    if (name !== undefined) await lockName(client, holdName(scope, name))
}

/** Most runs at a time of a job and of an account; undefined without a limit. */
export interface ConcurrencyLimits {
  job: number | undefined
  account: number | undefined
}
/** `defined`: what the definition says that the run keeps, whatever its file says by now. */
export type ConcurrencyOf = (job: string, account: string, defined: number | undefined) => ConcurrencyLimits

/** The limit of its job in a kept definition. */
export const DEFINED_LIMIT = "(definition ->> 'concurrency')::int"

export interface LimitedRun {
  id: string
  job: string
  account: string
}

/** The limit that has no slot left for the run, by its hold's name. Until the transaction is over, no other claim is counted under these limits. */
export async function fullLimit(client: pg.PoolClient, run: LimitedRun, limits: ConcurrencyLimits): Promise<string | undefined> {
  await lockLimits(client, {
    account: limits.account === undefined ? undefined : run.account,
    job: limits.job === undefined ? undefined : run.job,
  })
  for (const scope of ['account', 'job'] as const) {
    const limit = limits[scope]
    if (limit === undefined) continue
    if ((await slotsTaken(client, scope, run)) >= limit) return holdName(scope, run[scope])
    if (scope === 'job' && (await isAtMostOfOthers(client, run))) return holdName(scope, run[scope])
  }
  return undefined
}

async function slotsTaken(client: pg.PoolClient, scope: 'account' | 'job', run: LimitedRun): Promise<number> {
  const [row] = await query<{ taken: number }>(
    client,
    `select count(*)::int as taken from runs where ${TAKES_SLOT} and ${scope} = $1 and id <> $2`,
    [run[scope], run.id],
  )
  return row?.taken ?? 0
}

/** A running one allows no more beside it: it has an earlier or a later definition, with a lower limit. */
async function isAtMostOfOthers(client: pg.PoolClient, run: LimitedRun): Promise<boolean> {
  const [row] = await query<{ full: boolean | null }>(
    client,
    `select sum(taken) >= min(${DEFINED_LIMIT}) as full
     from (select job_version, count(*) as taken from runs where ${TAKES_SLOT} and job = $1 and id <> $2 group by job_version) r
       join job_versions on job = $1 and version = r.job_version`,
    [run.job, run.id],
  )
  return row?.full ?? false
}

/** Takes a queued run out of the queue until what holds it is over. False when its obstacle is another one by now. */
export async function hold(
  db: Db | pg.PoolClient,
  id: string,
  { by, obstacle }: { by: string; obstacle: 'paused' | null },
): Promise<boolean> {
  const held = await query(
    db,
    `update claims set held_by = $2, held_at = clock_timestamp(), holds = holds + 1
     where id = $1 and obstacle is not distinct from $3::text returning 1`,
    [id, by, obstacle],
    'hold',
  )
  return held.length > 0
}

const nextHeldBy = (parameter: string) =>
  `select id from runs where ${IS_HELD} and held_by = ${parameter}
   order by priority, id limit 1 for update skip locked`

/**
 * Releases the next run blocked by this account's limit and the next blocked by this job's. At most one of them may fit; the other is blocked again
 * when it is claimed. Takes the limit locks, so a claim that is being counted is waited for.
 */
export async function releaseNext(db: Db, names: { account: string; job?: string | undefined }): Promise<Wake[]> {
  return transaction(db, async (client) => {
    await lockLimits(client, names)
    return query<Wake>(
      client,
      `with of_account as (${nextHeldBy('$1')}), of_job as (${nextHeldBy('$2')})
       update runs set held_by = null
       where id in (select id from of_account union all select id from of_job) returning ${WAKEABLE}`,
      [holdName('account', names.account), holdName('job', names.job ?? '')],
      'release next',
    )
  })
}

/** Releases runs whose pause was lifted, and held runs that expired or are to be cancelled, so that a worker ends them. */
export async function releaseUnpaused(db: Db, limit = 500): Promise<Wake[]> {
  return query<Wake>(
    db,
    `update runs set held_by = null where id in (
       select id from runs where ${IS_HELD} and (
         ${OBSTACLE} in ('cancel-requested', 'expired') or (${IS_HELD_BY_PAUSE} and ${OBSTACLE} is distinct from 'paused'))
       order by priority, id limit $1 for update skip locked)
     returning ${WAKEABLE}`,
    [limit],
    'release unpaused',
  )
}

/** Runs held for less than this are left to `releaseNext` of the worker whose run frees the slot. */
const HELD_S = 30

/**
 * Releases as many held runs as their limit has free slots, at most `most` for each limit: after a limit was raised or removed, and for slots whose worker
 * crashed before it released the next run.
 */
export async function releaseIntoSlots(db: Db, concurrencyOf: ConcurrencyOf | undefined, most = 500): Promise<Wake[]> {
  const held = await query<{ by: string; running: number; defined: number | null }>(
    db,
    `select h.by, (
         select count(*)::int from runs
         where ${TAKES_SLOT} and h.by in ('${holdName('job', '')}' || job, '${holdName('account', '')}' || account)) as running, (
         select ${DEFINED_LIMIT} from job_versions v join runs first on v.job = first.job and v.version = first.job_version
         where first.id = (select id from runs where ${IS_HELD} and held_by = h.by order by priority, id limit 1)) as defined
     from (select distinct held_by as by from runs where ${IS_HELD} and not ${IS_HELD_BY_PAUSE}) h`,
    [],
    'held by limits',
  )
  const slots = held.map(({ by, running, defined }) =>
    Math.min(most, Math.max(0, (limitNamed(by, concurrencyOf, defined ?? undefined) ?? Infinity) - running)),
  )
  if (slots.every((n) => n === 0)) return []
  return query<Wake>(
    db,
    `update runs set held_by = null where id in (
       select next.id from unnest($1::text[], $2::int[]) as h(by, slots), lateral (
         select id from runs where ${IS_HELD} and held_by = h.by and held_at < now() - make_interval(secs => $3)
         order by priority, id limit h.slots for update skip locked) next)
     returning ${WAKEABLE}`,
    [held.map(({ by }) => by), slots, HELD_S],
    'release into slots',
  )
}

/** The limit that `held_by` names, as `job report` or `account reports`; `defined` by the first of those that it holds, and each is counted again by its own. */
function limitNamed(by: string, concurrencyOf: ConcurrencyOf | undefined, defined: number | undefined): number | undefined {
  const name = by.slice(by.indexOf(' ') + 1)
  return by.startsWith('job ') ? concurrencyOf?.(name, '', defined).job : concurrencyOf?.('', name, undefined).account
}
