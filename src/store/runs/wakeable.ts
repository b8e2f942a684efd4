import type { Wake } from '../../core/ports/wake.ts'
import { query, type Db } from '../postgres/db.ts'
import { leaseOver } from './heartbeat.ts'

/** How long a run waits for its next attempt, in ms by the clock of the store; 0 when it may begin. */
export const IN_MS = `greatest(extract(epoch from next_attempt_at - now()) * 1000, 0)::float8 as "inMs"`

/** The columns of a `Wake`, with the wait by the store's clock. Each attempt, and each release from a hold or a wait, is another round. */
export const WAKEABLE = `id, attempts + holds as round, priority, ${IN_MS}`

/** Why a run (`runs`) would not be claimed now, by the rule that the claim asks; null when it would. */
export const OBSTACLE = '(select c.obstacle from claims c where c.id = runs.id)'

/**
 * Runs that ought to be in the queue: running under a worker that was not heard of for `leaseMs` (a takeover); queued, held back by no other, and due
 * for longer than `olderThanMs`, and late after `lateMs`. Most urgent first, `limit` of each. Waking one that is in the queue already does nothing.
 */
export async function listWakeable(
  db: Db,
  { olderThanMs, lateMs, leaseMs, limit = 1000 }: { olderThanMs: number; lateMs: number; leaseMs: number; limit?: number },
): Promise<Wake[]> {
  return query<Wake & { id: string }>(
    db,
    `(select ${WAKEABLE}, true as takeover, false as late from runs
      where status = 'running' and finished_at is null
        and ${leaseOver('$2')}
      order by priority, id limit $3)
     union all
     (select ${WAKEABLE}, false, greatest(created_at, next_attempt_at) < now() - make_interval(secs => $4 / 1000.0) from runs
      where status = 'queued' and held_by is null and finished_at is null
        and greatest(created_at, next_attempt_at) < now() - make_interval(secs => $1 / 1000.0)
        and ${OBSTACLE} is distinct from 'earlier-run'
      order by priority, id limit $3)`,
    [olderThanMs, leaseMs, limit, lateMs],
    'list wakeable',
  )
}
