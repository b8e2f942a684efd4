import type pg from 'pg'
import { type FireDecision } from '../../core/rules/schedules/missed.ts'
import { decideOverlap, MAX_OPEN, type OpenRuns, type OverlapPolicy } from '../../core/rules/schedules/overlap.ts'
import { insertRun, type NewRun } from '../runs/insert.ts'
import { lockName } from '../postgres/advisory-lock.ts'
import { query, transaction, type Db } from '../postgres/db.ts'
import { isLockTimeout } from '../postgres/faults.ts'
import type { ScheduleKey } from './progress.ts'

export interface FireResult {
  at: Date
  status: 'run' | 'skipped'
  runId: string | null
  reason: string | null
  /** An earlier run must be over first (overlap: queue). */
  waitsForEarlierRun: boolean
}

/** A fire with what was decided for it, and the run it gets where it may have one. */
export interface DecidedFire {
  decision: FireDecision
  run: NewRun | undefined
}

export interface FiresToRecord {
  schedule: ScheduleKey
  fires: readonly DecidedFire[]
  overlap: OverlapPolicy
  /** Of the job, for its runs. */
  definition: unknown
  /** Fires up to then are decided with these. */
  until: Date
}

/**
 * Writes the decisions for the due fires of a schedule, each with its run in one transaction, and each fire once over all replicas. Returns what this call wrote.
 * Undefined, with nothing written, while another writer of the job's fires has the lock, such as a backfill.
 */
export async function recordFires(
  db: Db,
  { schedule, fires, overlap, definition, until }: FiresToRecord,
): Promise<FireResult[] | undefined> {
  const { job, cron, timezone } = schedule
  return transaction(db, async (client) => {
    // Replicas decide one after the other, so that the overlap rule sees the run of the fire before.
    if (!(await tryLockFires(client, job))) return undefined
    const [progress] = await query<{ decidedUntil: Date }>(
      client,
      'select decided_until as "decidedUntil" from schedule_progress where (job, cron, timezone) = ($1, $2, $3)',
      [job, cron, timezone],
    )
    const decidedUntil = progress?.decidedUntil
    const written: FireResult[] = []
    for (const { decision, run } of fires) {
      if (decidedUntil && decision.at <= decidedUntil) continue
      const open = run ? await openRuns(client, job) : undefined
      const decided = decideOverlap(decision, open, overlap)
      const reason = decided.verdict === 'skip' ? decided.reason : null
      const { rowCount } = await client.query(
        'insert into fires (job, fire_at, status, reason) values ($1, $2, $3, $4) on conflict do nothing',
        [job, decision.at, decided.verdict === 'skip' ? 'skipped' : 'run', reason],
      )
      if (!rowCount) continue
      if (decided.verdict === 'run' && run) {
        await insertRun(client, { ...run, afterRun: decided.afterRun }, definition)
        await client.query('update fires set run_id = $3 where job = $1 and fire_at = $2', [job, decision.at, run.id])
        written.push({ at: decision.at, status: 'run', runId: run.id, reason, waitsForEarlierRun: decided.afterRun !== undefined })
      } else written.push({ at: decision.at, status: 'skipped', runId: null, reason, waitsForEarlierRun: false })
    }
    await client.query(
      'update schedule_progress set decided_until = greatest(decided_until, $4) where (job, cron, timezone) = ($1, $2, $3)',
      [job, cron, timezone, until],
    )
    return written
  })
}

/** How long the lock is waited for: longer than a batch of a backfill (`BACKFILL_MS`), after which the next in line has it; less than a tick may take. */
const LOCK_WAIT = '1s'

/** Serialises writers of a job's fires; without it two can deadlock. Waits for as long as the store lets a statement wait. */
const lockFires = (client: pg.PoolClient, job: string) => lockName(client, `fires ${job}`)

/** The same, and waits for a moment only: false when another keeps the lock. */
async function tryLockFires(client: pg.PoolClient, job: string): Promise<boolean> {
  await client.query(`savepoint locking; set local lock_timeout = '${LOCK_WAIT}'`)
  try {
    await lockFires(client, job)
    return true
  } catch (error) {
    if (!isLockTimeout(error)) throw error
    await client.query('rollback to savepoint locking')
    return false
  }
}

/** Backfill runs do not count as overlapping. */
const OPEN = `job = $1 and finished_at is null and coalesce(trigger ->> 'backfill', 'false') <> 'true'`

async function openRuns(client: pg.PoolClient, job: string): Promise<OpenRuns | undefined> {
  const [newest] = await query<OpenRuns & { newest: string }>(
    client,
    `select id as newest, (select count(*)::int from (select 1 from runs where ${OPEN} limit ${MAX_OPEN}) o) as count from runs
     where ${OPEN}
     -- Locked: it does not end unclaimed before the run is written that waits for it.
     order by id desc limit 1 for key share`,
    [job],
  )
  return newest
}

/** A fire as it was decided. */
export type RecordedFire = Omit<FireResult, 'waitsForEarlierRun'>

const FIRE = 'fire_at as at, status, run_id as "runId", reason'

/** Fires of a job, latest first. */
export async function listFires(db: Db, job: string, limit = 100): Promise<RecordedFire[]> {
  return query<RecordedFire & { at: Date }>(db, `select ${FIRE} from fires where job = $1 order by fire_at desc limit $2`, [job, limit])
}

/** The last fire of each job, by its name. */
export async function lastFires(db: Db): Promise<Map<string, RecordedFire>> {
  const rows = await query<RecordedFire & { job: string }>(
    db,
    // From job to job by the key, and not through all fires.
    `with recursive jobs as (
       (select job from fires order by job limit 1)
       union all
       select (select f.job from fires f where f.job > j.job order by f.job limit 1) from jobs j where j.job is not null)
     select j.job, last.* from jobs j, lateral (
       select ${FIRE} from fires f where f.job = j.job order by fire_at desc limit 1) last`,
  )
  return new Map(rows.map(({ job, ...fire }) => [job, fire]))
}

/** Fires that already have a run, among those given. */
export async function firesWithRuns(db: Db, job: string, from: Date, to: Date): Promise<Date[]> {
  const rows = await query<{ at: Date }>(
    db,
    "select fire_at as at from fires where job = $1 and status = 'run' and fire_at >= $2 and fire_at < $3",
    [job, from, to],
  )
  return rows.map(({ at }) => at)
}

export interface Backfilled {
  /** Of the runs that were made. */
  ids: string[]
  /** How many of the fires, from the first on, have their run now. */
  decided: number
}

/** How long a backfill keeps the lock of the job's fires, on a machine however slow: less than the schedule waits for it. */
const BACKFILL_MS = 250

/**
 * Writes runs for past fires, as many as it can in a quarter of a second, and one at least. A fire that has a run keeps it; one that was skipped gets one now.
 */
export async function backfillFires(db: Db, fires: readonly { at: Date; run: NewRun }[], definition: unknown): Promise<Backfilled> {
  return transaction(db, async (client) => {
    for (const job of new Set(fires.map(({ run }) => run.job))) await lockFires(client, job)
    const until = performance.now() + BACKFILL_MS
    const made: Backfilled = { ids: [], decided: 0 }
    for (const { at, run } of fires) {
      if (made.decided > 0 && performance.now() > until) break
      made.decided++
      const { rowCount } = await client.query(
        `insert into fires as f (job, fire_at, status, reason) values ($1, $2, 'run', 'backfill')
         on conflict (job, fire_at) do update set status = 'run', reason = 'backfill' where f.status = 'skipped'`,
        [run.job, at],
      )
      if (!rowCount) continue
      await insertRun(client, run, definition)
      await client.query('update fires set run_id = $3 where job = $1 and fire_at = $2', [run.job, at, run.id])
      made.ids.push(run.id)
    }
    return made
  })
}
