// @ts-nocheck
import { query, type Db } from '../postgres/db.ts'

/** When each account last made a request of ours, by its id. */
export async function accountUse(db: Db): Promise<Map<string, string>> {
  const rows = await query<{ account_id: string; at: Date }>(db, 'select account_id, max(sent_at) as at from gateway_requests group by 1')
  return new Map(rows.map((row) => [row.account_id, row.at.toISOString()]))
}

/** Runs under way as this account whose attempt began before a time: they may hold the token of then. */
export async function countRunsHolding(db: Db, account: string, before: Date): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select count(*)::int as n from runs r join attempts a on a.run_id = r.id and a.finished_at is null where r.account = $1 and a.started_at < $2',
    [account, before],
  )
  return row?.n ?? 0
}
