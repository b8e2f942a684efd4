import type { RunStatus } from '../../core/run.ts'
import { actUponRuns, type Canceller } from '../acts/write.ts'
import { createParameters } from '../postgres/parameters.ts'
import { query, type Db } from '../postgres/db.ts'

/** A run that a worker does, and the queue job that brought it. */
export interface ClaimedRun {
  runId: string
  queueJobId: string
}

/** The lease on a run ran out: its worker renewed it last so many milliseconds ago (SQL). */
export const leaseOver = (ms: string): string => `heartbeat_at < clock_timestamp() - make_interval(secs => ${ms} / 1000.0)`

/**
 * Renews the lease on these runs. Returns the ids of the runs that are not the worker's own any more. A run whose row another session has at the moment is left
 * out and not waited for: that session may be frozen, and the leases of all others would run out.
 */
export async function heartbeat(db: Db, worker: string, claimed: readonly ClaimedRun[]): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `with mine as (select * from unnest($1::text[], $2::text[]) as m(id, queue_job_id)),
     own as (
       select r.id from mine m join runs r on r.id = m.id and r.delivery = m.queue_job_id
         join attempts a on a.run_id = r.id and a.finished_at is null and a.worker = $3),
     free as (
       select r.id from runs r where r.id in (select id from own) for no key update skip locked),
     beat as (
       update runs r set heartbeat_at = clock_timestamp() from mine m, free f
       where r.id = f.id and m.id = r.id and r.delivery = m.queue_job_id)
     select id from mine where id not in (select id from own)`,
    [claimed.map((run) => run.runId), claimed.map((run) => run.queueJobId), worker],
    'heartbeat',
  )
  return rows.map((row) => row.id)
}

/** Asks the worker of a run to cancel it. Returns the status of the run, which stays what it is. */
export async function requestCancel(db: Db, runId: string, by: Canceller): Promise<RunStatus | undefined> {
  const { add, values } = createParameters()
  const [row] = await query<{ status: RunStatus }>(
    db,
    `with asked as (
       update runs set cancel_requested_at =
         case when finished_at is null then coalesce(cancel_requested_at, now()) else cancel_requested_at end
       where id = ${add(runId)} returning id, job, conversation, attempts as attempt, status, finished_at),
     running as (select * from asked where status = 'running' and finished_at is null),
     ${actUponRuns(add, { act: 'cancel', by, detail: by.detail }, 'running')}
     select status from asked`,
    values,
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
