import { query, type Db } from './db.ts'
import { accountOf, tooEarly } from './matching.ts'

export interface EventCount {
  /** Null: none of ours. */
  account: string | null
  host: string
  tool: string | null
  events: number
  matched: number
  expected: number
  unexplained: number
  /** Not explained yet, and too young for an alarm. */
  recent: number
  from: string
  until: string
}

/** Events by account, host and tool. */
export async function countEvents(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  { since, account, until }: { since: Date | undefined; account: string | undefined; until: Date },
): Promise<EventCount[]> {
  const rows = await query<Omit<EventCount, 'from' | 'until'> & { from: Date; until: Date }>(
    db,
    `with counted as (
       select account_id, host, mcp_tool as tool, count(*)::int as events, (count(*) filter (where matched_by <> 'expected'))::int as matched,
         (count(*) filter (where matched_by = 'expected'))::int as expected, min(time) as "from", max(time) as until
       from authorize_events where ($1::timestamptz is null or time >= $1) group by 1, 2, 3),
     -- Apart from the others, so that those are counted in parallel.
     young as (
       select account_id, host, mcp_tool as tool, count(*)::int as events from authorize_events e
       where matched_by is null and account_id is not null and ($1::timestamptz is null or time >= $1) and ${tooEarly('$5')} group by 1, 2, 3),
     known as (select k.account_id, ${accountOf('k.account_id', '$2', '$3')} as account from (select distinct account_id from counted) k)
     select k.account, c.host, c.tool, sum(c.events)::int as events, sum(c.matched)::int as matched, sum(c.expected)::int as expected,
       sum(coalesce(y.events, 0))::int as recent, sum(c.events - c.matched - c.expected - coalesce(y.events, 0))::int as unexplained,
       min(c."from") as "from", max(c.until) as until
     from counted c left join known k on k.account_id = c.account_id
       left join young y on y.account_id = c.account_id and y.host = c.host and y.tool is not distinct from c.tool
     where $4::text is null or k.account = $4 group by 1, 2, 3 order by 1, 2, 3`,
    [since ?? null, ours.map((one) => one.accountId), ours.map((one) => one.account), account ?? null, until],
  )
  return rows.map((row) => ({ ...row, from: row.from.toISOString(), until: row.until.toISOString() }))
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
  const rows = await query<MissingRequest & { total: number }>(
    db,
    `with span as (select min(time) as first, max(time) as last from authorize_events),
     missing as (
       select g.* from gateway_requests g, span s
       where g.sent_at >= greatest(s.first, coalesce($1, s.first)) and g.sent_at < s.last - make_interval(secs => $3 / 1000.0)
         and ($2::text is null or g.account = $2)
         -- A request that never reached Pomerium, because we gave it up or ended before, has no line, and neither has one to a host that no route serves.
         and (g.status is not null or g.error !~ '${MAYBE_NEVER_REACHED}') and (g.status is null or g.status <> 404 or g.rpc_method is null)
         and not exists (select 1 from authorize_events e where e.gateway_request = g.request_id_sent))
     select request_id_sent as "requestIdSent", request_id as "requestId", run_id as "runId", account, host, rpc_method as "rpcMethod", sent_at as "sentAt", status,
       (count(*) over ())::int as total
     from missing order by sent_at limit $4`,
    [since ?? null, account ?? null, graceMs, limit],
  )
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

const MAYBE_NEVER_REACHED =
  '^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|not sent|.*CERT.*|.*TLS.*|.*ABORT.*|AbortError|TimeoutError|McpError|WORKER_LOST|CANCELLED|DEADLINE|BUDGET_.*)$'
