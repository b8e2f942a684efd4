import { query, queryIso, type Db } from '../postgres/db.ts'

/** An account of this deployment now: its id, as Pomerium's log has it, and its name here. */
export interface OurAccount {
  accountId: string
  account: string
}

/** The accounts as `account_of` of the store takes them. */
export const idsAndNames = (ours: readonly OurAccount[]): [ids: string[], names: string[]] => [
  ours.map(({ accountId }) => accountId),
  ours.map(({ account }) => account),
]

/** When each account last made a request of ours, by its id. */
export async function accountUse(db: Db): Promise<Map<string, string>> {
  const rows = await queryIso<{ accountId: string; at: string }>(
    db,
    'select account_id as "accountId", max(sent_at) as at from gateway_requests group by 1',
  )
  return new Map(rows.map(({ accountId, at }) => [accountId, at]))
}

/** Runs under way as this account whose attempt began before a time: they may still hold the earlier token. */
export async function countRunsHolding(db: Db, account: string, before: Date): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    `select count(*)::int as n from runs r join attempts a on a.run_id = r.id and a.finished_at is null
     where r.account = $1 and a.started_at < $2`,
    [account, before],
  )
  return row?.n ?? 0
}
