import type { RunStatus } from '../../core/run.ts'
import { query, type Db } from '../postgres/db.ts'

/** A run that a worker does, and the queue job that brought it. */
export interface ClaimedRun {
  runId: string
  queueJobId: string
}

/** The lease on a run ran out: its worker renewed it last so many milliseconds ago (SQL). */
export const leaseOver = (ms: string): string => `heartbeat_at < clock_timestamp() - make_interval(secs => ${ms} / 1000.0)`

/** Renews the lease on these runs. Returns the ids of the runs that are not the worker's own any more. */
export async function heartbeat(db: Db, worker: string, claimed: readonly ClaimedRun[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `with mine as (select * from unnest($1::text[], $2::text[]) as m(id, queue_job_id)),
     beat as (
       update runs r set heartbeat_at = clock_timestamp() from mine m, attempts a
       where r.id = m.id and r.delivery = m.queue_job_id
         and a.run_id = r.id and a.finished_at is null and a.worker = $3
       returning r.id)
     select id from mine where id not in (select id from beat)`,
    [claimed.map((run) => run.runId), claimed.map((run) => run.queueJobId), worker],
    'heartbeat',
  )
  return rows.map((row) => row.id)
}

/** Asks the worker of a run to cancel it. Returns the status of the run, which stays what it is. */
export async function requestCancel(db: Db, runId: string): Promise<RunStatus | undefined> {
  const [row] = await query<{ status: RunStatus }>(
    db,
    `update runs set cancel_requested_at =
       case when finished_at is null then coalesce(cancel_requested_at, now()) else cancel_requested_at end
     where id = $1 returning status`,
    [runId],
  )
  return row?.status
}

/** Runs of a worker whose cancel was asked for. */
export async function cancelRequested(db: Db, runIds: readonly string[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    'select id from runs where id = any($1) and cancel_requested_at is not null',
    [runIds],
    'cancel requested',
  )
  return rows.map((row) => row.id)
}
