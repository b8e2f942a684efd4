import type { AttemptRef } from '../../core/run.ts'
import { query, retryWhileUnavailable, type Db } from '../postgres/db.ts'

/** Writes down that an account for an attempt is about to be asked for: whatever dies then, it is ended. */
export async function askForAccount(db: Db, { runId, number }: AttemptRef, expiresAt: Date): Promise<void> {
  await retryWhileUnavailable(() =>
    query(
      db,
      `insert into run_account_ends (run_id, attempt, expires_at) values ($1, $2, $3)
       on conflict (run_id, attempt) do update set ended_at = null, expires_at = greatest(run_account_ends.expires_at, excluded.expires_at)`,
      [runId, number, expiresAt],
    ),
  )
}

/** The gateway has confirmed that the account of an attempt is gone. */
export async function accountEnded(db: Db, { runId, number }: AttemptRef): Promise<void> {
  await query(db, 'update run_account_ends set ended_at = now() where run_id = $1 and attempt = $2', [runId, number])
}

/** Runs that are over or gone while an account of theirs may live; each is taken for so long. */
export async function takeRunsToEnd(db: Db, { limit, leaseMs }: { limit: number; leaseMs: number }): Promise<string[]> {
  const rows = await query<{ runId: string }>(
    db,
    `with due as (
       select e.ctid from run_account_ends e left join runs r on r.id = e.run_id
       where e.ended_at is null and e.next_try_at <= now() and e.expires_at > now() and (r.id is null or r.finished_at is not null)
       order by e.next_try_at limit $1 for update of e skip locked)
     update run_account_ends e set next_try_at = now() + make_interval(secs => $2::float8 / 1000.0)
     where e.ctid in (select ctid from due) returning e.run_id as "runId"`,
    [limit, leaseMs],
  )
  return [...new Set(rows.map(({ runId }) => runId))]
}

/** The gateway has confirmed that no account of a run is left, of those that were asked for before. */
export async function runAccountsEnded(db: Db, runId: string): Promise<void> {
  await query(
    db,
    `update run_account_ends e set ended_at = now() where e.run_id = $1 and e.ended_at is null
       and not exists (select 1 from runs r where r.id = e.run_id and r.finished_at is null)`,
    [runId],
  )
}
