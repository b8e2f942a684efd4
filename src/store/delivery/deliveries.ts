import type { DeliveryTarget } from '../../core/rules/delivery.ts'
import { storeText } from '../../lib/text.ts'
import { query, type Db } from '../postgres/db.ts'

/** Digest of the output of the job's run before this one that had any. */
export async function previousDigest(db: Db, job: string, runId: string): Promise<string | undefined> {
  const [row] = await query<{ output_digest: string }>(
    db,
    'select output_digest from runs where job = $1 and id < $2 and output_digest is not null order by id desc limit 1',
    [job, runId],
  )
  return row?.output_digest
}

export interface DueDelivery {
  id: string
  runId: string
  target: DeliveryTarget
  /** This try included. */
  tries: number
}

/** Takes deliveries that are due. Nobody else takes them for `leaseMs`. */
export async function takeDueDeliveries(db: Db, { limit, leaseMs }: { limit: number; leaseMs: number }): Promise<DueDelivery[]> {
  const rows = await query<{ id: string; run_id: string; target: DeliveryTarget; tries: number }>(
    db,
    `update deliveries set tries = tries + 1, next_try_at = now() + make_interval(secs => $2 / 1000.0) where id in (
       select id from deliveries where status = 'pending' and next_try_at <= now() order by next_try_at limit $1 for update skip locked)
     returning id, run_id, target, tries`,
    [limit, leaseMs],
    'take due deliveries',
  )
  return rows.map(({ run_id: runId, ...row }) => ({ ...row, runId }))
}

/** What came of a try. */
export type DeliveryOutcome =
  | { status: 'delivered' }
  | { status: 'pending'; error: string; nextTryAt: Date }
  | { status: 'failed'; error: string }

export async function endDeliveryTry(db: Db, id: string, outcome: DeliveryOutcome): Promise<void> {
  const { status } = outcome
  await query(
    db,
    `update deliveries set status = $2, error = $3, next_try_at = coalesce($4, next_try_at), ended_at = case when $2 = 'pending' then null else now() end
     where id = $1 and (status = 'pending' or $2 = 'delivered')`,
    [id, status, status === 'delivered' ? null : storeText(outcome.error), status === 'pending' ? outcome.nextTryAt : null],
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
  const rows = await query<
    Pick<DeliveryView, 'id' | 'attempt' | 'target' | 'status' | 'tries' | 'error'> & {
      created_at: Date
      next_try_at: Date
      ended_at: Date | null
    }
  >(db, 'select * from deliveries where run_id = $1 order by created_at, id', [runId])
  return rows.map(({ created_at, next_try_at, ended_at, id, attempt, target, status, tries, error }) => ({
    id,
    runId,
    attempt,
    target,
    status,
    tries,
    error,
    createdAt: created_at.toISOString(),
    nextTryAt: status === 'pending' ? next_try_at.toISOString() : null,
    endedAt: ended_at?.toISOString() ?? null,
  }))
}
