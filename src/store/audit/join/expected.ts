import { createBadRows, type BadRowLog } from '../../bad-rows.ts'
import { query, slowQuery, type Db } from '../../postgres/db.ts'
import { idsAndNames, type OurAccount } from '../accounts.ts'

/** Requests of other programs that share an account, as the configuration declares them. */
export interface ExpectedNoise {
  account: string
  host?: string | undefined
  path?: string | undefined
  ip?: string | undefined
  tool?: string | undefined
}

/** Explains events up to a time, also those that raised an alarm when `thorough`, that the configuration says to expect. Returns how many. */
export async function explainExpected(
  db: Db,
  ours: readonly OurAccount[],
  expected: readonly ExpectedNoise[],
  { until, thorough }: { until: Date; thorough: boolean },
  log?: BadRowLog,
): Promise<number> {
  let explained = 0
  const explain = async (accountIds: readonly string[] | null) =>
    void (explained += await explainOf(db, ours, expected, { until, thorough }, accountIds))
  await createBadRows({ db, duty: 'match', log }).all(() => listOpenAccounts(db), explain)
  return explained
}

/** Account by account: what cannot be written of one is no other's fault. */
async function listOpenAccounts(db: Db): Promise<string[]> {
  const open = await query<{ id: string }>(
    db,
    'select distinct account_id as id from authorize_events where matched_by is null and account_id is not null',
  )
  return open.map(({ id }) => id)
}

async function explainOf(
  db: Db,
  ours: readonly OurAccount[],
  expected: readonly ExpectedNoise[],
  { until, thorough }: { until: Date; thorough: boolean },
  accountIds: readonly string[] | null,
): Promise<number> {
  const ofRound = thorough ? '' : 'and alerted_at is null'
  const rows = await slowQuery(
    db,
    `with noise as (
       select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as n(account, host, path, ip, tool)),
     known as (
       select k.account_id, account_of(k.account_id, $1, $2) as account
       from (select distinct account_id from authorize_events where matched_by is null ${ofRound} and account_id is not null
         and ($8::text[] is null or account_id = any($8))) k)
     update authorize_events e set matched_by = 'expected' from known o
     where e.matched_by is null ${ofRound} and e.time <= $9 and o.account_id = e.account_id and exists (
       select 1 from noise n where n.account = o.account
         and (n.host is null or split_part(lower(n.host), ':', 1) = e.host)
         and (n.path is null or n.path = e.path)
         and (n.ip is null or n.ip = e.ip)
         and (n.tool is null or n.tool = e.mcp_tool))
     returning 1`,
    [
      ...idsAndNames(ours),
      expected.map((noise) => noise.account),
      ...(['host', 'path', 'ip', 'tool'] as const).map((field) => expected.map((noise) => noise[field] ?? null)),
      accountIds,
      until,
    ],
  )
  return rows.length
}
