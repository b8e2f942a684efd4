// @ts-nocheck
import type { AttemptRef } from '../../core/run.ts'
import { retryWhileUnavailable, query, type Db } from '../postgres/db.ts'

/** Writes down an account that was made for a run. */
export async function insertRunAccount(
  db: Db,
  { runId, number }: AttemptRef,
  row: { accountId: string; account: string; expiresAt: Date },
): Promise<void> {
  await retryWhileUnavailable(() =>
    query(
      db,
      'insert into run_accounts (account_id, account, run_id, attempt, expires_at) values ($1, $2, $3, $4, $5) on conflict do nothing',
      [row.accountId, row.account, runId, number, row.expiresAt],
    ),
  )
}
