import { NEVER_CONNECTED } from '../../lib/net/connection-error.ts'
import { query, queryIso, slowTransaction, type Db } from '../postgres/db.ts'
import { idsAndNames, type OurAccount } from './accounts.ts'

export interface EventCount {
  /** Null: none of ours. */
  account: string | null
  host: string
  tool: string | null
  events: number
  matched: number
  expected: number
  /** Of a hosted run whose provider did not report them. */
  unreported: number
  from: string
  until: string
}

/** Events by account, host and tool. */
export async function countEvents(
  db: Db,
  ours: readonly OurAccount[],
  { since, account }: { since: Date | undefined; account: string | undefined },
): Promise<EventCount[]> {
  return slowTransaction(db, (client) =>
    queryIso<EventCount & { host: string }>(
      client,
      `with counted as (
         select account_id, host, mcp_tool as tool, count(*)::int as events, min(time) as "from", max(time) as until,
           (count(*) filter (where matched_by not in ('expected', 'foreign', 'unreported')))::int as matched,
           (count(*) filter (where matched_by = 'expected'))::int as expected,
           (count(*) filter (where matched_by = 'unreported'))::int as unreported
         from authorize_events where ($3::timestamptz is null or time >= $3) group by 1, 2, 3),
       known as (
         select k.account_id, account_of(k.account_id, $1, $2) as account
         from (select distinct account_id from counted) k)
       select k.account, c.host, c.tool, sum(c.events)::int as events, sum(c.matched)::int as matched,
         sum(c.expected)::int as expected, sum(c.unreported)::int as unreported, min(c."from") as "from", max(c.until) as until
       from counted c left join known k on k.account_id = c.account_id
       where $4::text is null or k.account = $4 group by 1, 2, 3 order by 1, 2, 3`,
      [...idsAndNames(ours), since ?? null, account ?? null],
    ),
  )
}

export interface MissingRequest {
  requestIdSent: string
  requestId: string | null
  runId: string | null
  account: string
  host: string
  rpcMethod: string | null
  sentAt: Date
  status: number | null
}

/** Requests of ours that the log should have a line for and has none: sent while it was read, and answered by Pomerium or not known to be lost before it. */
export async function countMissing(
  db: Db,
  { since, account, graceMs, limit }: { since: Date | undefined; account: string | undefined; graceMs: number; limit: number },
): Promise<{ count: number; requests: MissingRequest[] }> {
  const rows = await slowTransaction(db, async (client) => {
    const [span] = await query<{ first: Date | null; last: Date | null }>(
      client,
      'select min(time) as first, max(time) as last from authorize_events',
    )
    if (!span?.first || !span.last) return []
    // All requests are held against all lines: in memory, not on disk.
    await query(client, "set local work_mem = '64MB'")
    const first = since && since > span.first ? since : span.first
    return query<MissingRequest & { total: number }>(
      client,
      `with missing as (
         select g.request_id_sent, g.sent_at from gateway_requests g
         where g.sent_at >= $1 and g.sent_at < $4 and ($2::text is null or g.account = $2)
           -- Not one that never reached Pomerium, because we gave it up or ended before,
           and (g.status is not null or g.error !~ '${MAYBE_NEVER_REACHED}')
           -- nor one to a host that no route serves.
           and (g.status is null or g.status <> 404 or g.rpc_method is null)
           and not exists (select 1 from authorize_events e where e.gateway_request = g.request_id_sent)),
       first as (
         select request_id_sent, (count(*) over ())::int as total from missing order by sent_at limit $3)
       select g.request_id_sent as "requestIdSent", g.request_id as "requestId", g.run_id as "runId", g.account,
         g.host, g.rpc_method as "rpcMethod", g.sent_at as "sentAt", g.status, f.total
       from first f join gateway_requests g using (request_id_sent) order by g.sent_at`,
      [first, account ?? null, limit, new Date(span.last.getTime() - graceMs)],
    )
  })
  const requests = rows.map(({ requestIdSent, requestId, runId, account: name, host, rpcMethod, sentAt, status }) => ({
    requestIdSent,
    requestId,
    runId,
    account: name,
    host,
    rpcMethod,
    sentAt,
    status,
  }))
  return { count: rows[0]?.total ?? 0, requests }
}

/** What an error of a request begins with that may not have reached Pomerium. */
const MAYBE_NEVER_REACHED = `^(${[
  ...NEVER_CONNECTED,
  'not sent', '.*CERT.*', '.*TLS.*', '.*ABORT.*', 'AbortError', 'TimeoutError', 'McpError',
  'WORKER_LOST', 'CANCELLED', 'DEADLINE', 'BUDGET_.*',
].join('|')})$` // prettier-ignore
