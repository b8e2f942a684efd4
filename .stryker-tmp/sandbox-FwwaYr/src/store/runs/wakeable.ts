// @ts-nocheck
import type pg from 'pg'
import type { Wake } from '../../core/ports/wake.ts'
import { query, type Db } from '../postgres/db.ts'

/** A run as the queue is told of it. Each attempt and each hold so far is another round. */
export const WAKEABLE = 'id, attempts + holds as round, priority'

/**
 * Runs that ought to be in the queue: queued, held back by no other, and due for longer than `olderThanMs`, or running under a worker that was not heard of for
 * `staleAfterMs`. Waking one that is in the queue already does nothing.
 */
export async function listWakeable(
  db: Db,
  { olderThanMs, staleAfterMs, limit = 1000 }: { olderThanMs: number; staleAfterMs: number; limit?: number },
): Promise<Wake[]> {
  return query<Wake & pg.QueryResultRow>(
    db,
    `select ${WAKEABLE} from runs where finished_at is null and (
       (status = 'queued' and held_by is null
         and not exists (select 1 from runs earlier where earlier.id = runs.after_run and earlier.finished_at is null)
         and greatest(created_at, next_attempt_at) < now() - make_interval(secs => $1 / 1000.0))
       or (status = 'running' and heartbeat_at < now() - make_interval(secs => $2 / 1000.0)))
     order by priority, id limit $3`,
    [olderThanMs, staleAfterMs, limit],
  )
}
