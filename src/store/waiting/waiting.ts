import type { Wake } from '../../core/ports/wake.ts'
import { query, type Db } from '../postgres/db.ts'
import { whereOf, type RunFilter } from '../runs/filter.ts'
import { WAKEABLE } from '../runs/wakeable.ts'

export interface WaitingFor {
  account: string
  server: string
  runs: number
}

/** What runs wait for: a person who connects a server for an account. Counts only the runs of the filter. */
export async function listWaiting(db: Db, filter: RunFilter = {}): Promise<WaitingFor[]> {
  const { sql, values } = whereOf(filter)
  return query<{ account: string; server: string; runs: number }>(
    db,
    `select account, coalesce(failure->>'server', '') as server, count(*)::int as runs from runs
     where status = 'waiting' and finished_at is null and ${sql} group by 1, 2 order by 1, 2`,
    values,
  )
}

/** True for the one caller who may poll the account’s route list now: nobody did for `everyMs`. */
export async function tryStartPoll(db: Db, account: string, everyMs: number): Promise<boolean> {
  const rows = await query(
    db,
    `insert into connection_looks as l (account, looked_at) values ($1, now())
     on conflict (account) do update set looked_at = now() where l.looked_at <= now() - make_interval(secs => $2 / 1000.0) returning 1`,
    [account, everyMs],
  )
  return rows.length > 0
}

/** Lets the runs go on that wait for one of these servers. Returns them for the queue. */
export async function resumeWaiting(db: Db, account: string, servers: readonly string[]): Promise<Wake[]> {
  return query<Wake>(
    db,
    `update runs set status = 'queued', next_attempt_at = null where status = 'waiting' and account = $1 and failure->>'server' = any($2) returning ${WAKEABLE}`,
    [account, servers],
  )
}
