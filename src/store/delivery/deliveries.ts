import type { DeliveryTarget } from '../../core/rules/delivery.ts'
import { storeText } from '../../lib/text.ts'
import { query, queryIso, type Db } from '../postgres/db.ts'

/** Digest of the output of the job's run that ended last before this one ends, of those that had any: what its receivers were told last, whichever run began first. */
export async function previousDigest(db: Db, job: string, runId: string): Promise<string | undefined> {
  const [row] = await query<{ digest: string }>(
    db,
    `select output_digest as digest from runs
     where job = $1 and id <> $2 and output_digest is not null and finished_at is not null order by finished_at desc limit 1`,
    [job, runId],
  )
  return row?.digest
}

export interface DueDelivery {
  id: string
  runId: string
  target: DeliveryTarget
  /** The target as text: equal for the deliveries that go to the same place. */
  place: string
  /** This try included. */
  tries: number
}

export interface TakeOptions {
  /** Most of them, and most to one place. */
  limit: number
  perPlace: number
  /** How many to a place are under way already; they count. */
  busy: ReadonlyMap<string, number>
  leaseMs: number
}

/** Takes deliveries that are due, for so long that nobody else does (lease). A place that many reports go to leaves room for the others. */
export async function takeDueDeliveries(db: Db, { limit, perPlace, busy, leaseMs }: TakeOptions): Promise<DueDelivery[]> {
  return query<DueDelivery & { id: string }>(
    db,
    `with due as (
       select id, next_try_at, target::text as place,
         row_number() over (partition by target::text order by next_try_at) as nth
       from deliveries where status = 'pending' and next_try_at <= now()),
     fair as (
       select due.id from due left join unnest($3::text[], $4::int[]) as busy (place, n) on busy.place = due.place
       where due.nth <= $2 - coalesce(busy.n, 0) order by due.next_try_at limit $1)
     update deliveries d set tries = d.tries + 1, next_try_at = now() + make_interval(secs => $5 / 1000.0)
     where d.id in (
       select l.id from deliveries l
       where l.id in (select id from fair) and l.status = 'pending' and l.next_try_at <= now()
       for update skip locked)
     returning d.id, d.run_id as "runId", d.target, d.target::text as place, d.tries`,
    [limit, perPlace, [...busy.keys()], [...busy.values()], leaseMs],
    'take due deliveries',
  )
}

/** Puts all pending deliveries to a place off, as no try: nobody asks it for `ms`. */
export async function putOffDeliveries(db: Db, place: string, ms: number): Promise<void> {
  await query(
    db,
    `update deliveries set next_try_at = greatest(next_try_at, now() + make_interval(secs => $2 / 1000.0))
     where status = 'pending' and target::text = $1`,
    [place, ms],
  )
}

/** Makes pending deliveries to a place due that wait for longer than `leaseMs`, so that none that is under way is taken twice. How many. */
export async function hastenDeliveries(db: Db, place: string, leaseMs: number): Promise<number> {
  const hastened = await query(
    db,
    `update deliveries set next_try_at = now()
     where status = 'pending' and target::text = $1 and next_try_at > now() + make_interval(secs => $2 / 1000.0) returning id`,
    [place, leaseMs],
    'hasten deliveries',
  )
  return hastened.length
}

/** What came of a try. */
export type DeliveryOutcome =
  | { status: 'delivered' }
  | { status: 'pending'; error: string; waitMs: number }
  | { status: 'failed'; error: string }

export async function endDeliveryTry(db: Db, id: string, outcome: DeliveryOutcome): Promise<void> {
  const { status } = outcome
  await query(
    db,
    `update deliveries set status = $2, error = $3, next_try_at = coalesce(now() + make_interval(secs => $4::float8 / 1000), next_try_at),
       ended_at = case when $2 = 'pending' then null else now() end
     where id = $1 and (status = 'pending' or $2 = 'delivered')`,
    [id, status, status === 'delivered' ? null : storeText(outcome.error), status === 'pending' ? outcome.waitMs : null],
  )
}

export interface DeliveryView {
  id: string
  runId: string
  attempt: number
  target: DeliveryTarget
  status: 'pending' | 'delivered' | 'failed' | 'skipped'
  tries: number
  error: string | null
  createdAt: string
  nextTryAt: string | null
  endedAt: string | null
}

/** All deliveries of a run, oldest first. */
export async function listDeliveries(db: Db, runId: string): Promise<DeliveryView[]> {
  return queryIso<DeliveryView & { id: string }>(
    db,
    `select id, run_id as "runId", attempt, target, status, tries, error, created_at as "createdAt",
       case when status = 'pending' then next_try_at end as "nextTryAt", ended_at as "endedAt"
     from deliveries where run_id = $1 order by created_at, id`,
    [runId],
  )
}
