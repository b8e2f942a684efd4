import type { Wake } from '../../core/ports/wake.ts'
import { query, type Db } from '../postgres/db.ts'
import { leaseOver } from './heartbeat.ts'

/** The columns of a `Wake`. Each attempt, and each release from a hold or a wait, is another round. */
export const WAKEABLE = 'id, attempts + holds as round, priority'

/** Why a run (`runs`) would not be claimed now, by the rule that the claim asks; null when it would. */
export const OBSTACLE = '(select c.obstacle from claims c where c.id = runs.id)'

/**
 * Runs that ought to be in the queue: running under a worker that was not heard of for `leaseMs` (a takeover); queued, held back by no other, and due
 * for longer than `olderThanMs`. Most urgent first, `limit` of each. Waking one that is in the queue already does nothing.
 */
export async function listWakeable(
  db: Db,
  { olderThanMs, leaseMs, limit = 1000 }: { olderThanMs: number; leaseMs: number; limit?: number },
): Promise<Wake[]> {
  return query<Wake & { id: string }>(
    db,
    `(select ${WAKEABLE}, true as takeover from runs
      where status = 'running' and finished_at is null
        and ${leaseOver('$2')}
      order by priority, id limit $3)
     union all
     (select ${WAKEABLE}, false from runs
      where status = 'queued' and held_by is null and finished_at is null
        and greatest(created_at, next_attempt_at) < now() - make_interval(secs => $1 / 1000.0)
        and ${OBSTACLE} is distinct from 'earlier-run'
      order by priority, id limit $3)`,
    [olderThanMs, leaseMs, limit],
    'list wakeable',
  )
}
