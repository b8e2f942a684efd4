import { query, type Db } from './db.ts'

/**
 * Explains events by the id of their request: the one that Pomerium returned, or the one that we sent when its answer was lost. A request explains
 * one event, and only one of the same account, host and method. Returns how many were explained.
 */
export async function matchByRequestId(db: Db, since: Date): Promise<number> {
  let matched = 0
  for (const [how, join] of BY_ID) {
    const rows = await query<{ n: number }>(
      db,
      `with found as (
         select e.id, g.request_id_sent, g.run_id, g.tool_call_id, row_number() over (partition by g.request_id_sent order by e.time, e.id) as of_request,
           row_number() over (partition by e.id order by g.sent_at, g.request_id_sent) as of_event
         from authorize_events e join gateway_requests g on ${join}
         where e.matched_by is null and e.time >= $1 and e.method = g.method and e.host = split_part(lower(g.host), ':', 1)
           and (e.account_id = g.account_id or (e.account_id is null and g.status in (401, 302)))
           and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)),
       done as (
         update authorize_events e set matched_by = $2, gateway_request = f.request_id_sent, run_id = f.run_id, tool_call_id = f.tool_call_id
         from found f where e.id = f.id and f.of_request = 1 and f.of_event = 1
           and (f.tool_call_id is null or not exists (select 1 from authorize_events m where m.tool_call_id = f.tool_call_id)) returning 1)
       select count(*)::int as n from done`,
      [since, how],
    )
    matched += rows[0]?.n ?? 0
  }
  return matched
}

const UUID = `'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'`
const BY_ID = [
  ['request-id', 'g.request_id = e.request_id'],
  ['sent-id', `g.request_id_sent = case when e.request_id ~ ${UUID} then e.request_id::uuid end and g.request_id is null`],
] as const

/** A run whose provider calls the servers itself, with what may explain its events. */
export interface HostedRun {
  id: string
  startedAt: Date
  finishedAt: Date | null
  /** Accounts that it used, as the log names them. */
  accounts: { id: string; own: boolean }[]
  /** Host of each server, by its route's name. */
  hosts: { server: string; host: string }[]
  calls: { id: string; server: string; tool: string; arguments: unknown }[]
  events: {
    id: string
    /** RFC 3339. */
    time: string
    accountId: string | null
    host: string
    mcpMethod: string | null
    mcpTool: string | null
    paramsDigest: string | null
    byHeader: boolean
  }[]
}

/** Hosted runs with events that are not explained yet: by the run's header, or by an account of the run's own. */
export async function loadHostedRuns(db: Db, since: Date, limit = 200): Promise<HostedRun[]> {
  return query<HostedRun>(
    db,
    `with open as (
       select e.*, coalesce(e.run_header, a.run_id) as of_run, e.run_header is not null as by_header
       from authorize_events e left join run_accounts a on a.account_id = e.account_id
       where e.matched_by is null and e.time >= $1 and (e.run_header is not null or a.run_id is not null))
     select r.id, r.started_at as "startedAt", r.finished_at as "finishedAt",
       coalesce((select json_agg(json_build_object('id', x.account_id, 'own', x.own)) from (
         select account_id, bool_or(own) as own from (
           select account_id, false as own from gateway_requests g where g.run_id = r.id union all select account_id, true from run_accounts a where a.run_id = r.id) u group by 1) x), '[]') as accounts,
       coalesce((select json_agg(distinct jsonb_build_object('server', g.server, 'host', split_part(lower(g.host), ':', 1))) from gateway_requests g where g.run_id = r.id and g.server is not null), '[]') as hosts,
       coalesce((select json_agg(json_build_object('id', t.id, 'server', t.server, 'tool', t.tool, 'arguments', t.arguments) order by t.turn, t.position) from tool_calls t
         where t.run_id = r.id and t.status <> 'refused' and not exists (select 1 from authorize_events m where m.tool_call_id = t.id)
           and not exists (select 1 from gateway_requests g where g.tool_call_id = t.id)), '[]') as calls,
       (select json_agg(json_build_object('id', o.id::text, 'time', o.time, 'accountId', o.account_id, 'host', o.host, 'mcpMethod', o.mcp_method, 'mcpTool', o.mcp_tool,
         'paramsDigest', o.params_digest, 'byHeader', o.by_header) order by o.time, o.id) from open o where o.of_run = r.id) as events
     from runs r join job_versions v on v.job = r.job and v.version = r.job_version
     where r.id in (select of_run from open) and r.started_at is not null and v.definition ->> 'delegate' = 'hosted' limit $2`,
    [since, limit],
  )
}

export interface Explanation {
  eventId: string
  matchedBy: 'run-header' | 'account' | 'expected'
  runId: string | null
  toolCallId: string | null
}

/** Writes explanations; an event that has one keeps it. */
export async function explainEvents(db: Db, explanations: readonly Explanation[]): Promise<number> {
  if (explanations.length === 0) return 0
  const rows = await query(
    db,
    `update authorize_events e set matched_by = x.how, run_id = x.run_id, tool_call_id = x.tool_call_id
     from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[]) as x(id, how, run_id, tool_call_id) where e.id = x.id and e.matched_by is null returning 1`,
    [
      explanations.map((x) => x.eventId),
      explanations.map((x) => x.matchedBy),
      explanations.map((x) => x.runId),
      explanations.map((x) => x.toolCallId),
    ],
  )
  return rows.length
}

export interface OpenEvent {
  id: string
  time: Date
  requestId: string
  accountId: string
  /** The account's name here, as far as it is known. */
  account: string | null
  method: string
  host: string
  path: string
  ip: string
  mcpMethod: string | null
  mcpTool: string | null
  runHeader: string | null
  allowed: boolean
  alerted: boolean
}

/** Accounts that are ours: those of the configuration, and all that ever made a request of ours. */
const OURS = `(select account_id, max(account) as account from (
  select distinct account_id, account from gateway_requests union all select account_id, account from run_accounts
  union all select * from unnest($1::text[], $2::text[])) known group by 1)`

/** Events of our accounts that nothing explains and that are older than the grace time, oldest first. */
export async function listUnexplained(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  { until, since, account, limit = 1000 }: { until: Date; since?: Date | undefined; account?: string | undefined; limit?: number },
): Promise<OpenEvent[]> {
  return query<OpenEvent>(
    db,
    `select e.id::text, e.time, e.request_id as "requestId", e.account_id as "accountId", o.account, e.method, e.host, e.path, e.ip, e.mcp_method as "mcpMethod",
       e.mcp_tool as "mcpTool", e.run_header as "runHeader", e.allowed, e.alerted_at is not null as alerted
     from authorize_events e join ${OURS} o on o.account_id = e.account_id
     where e.matched_by is null and e.time <= $3 and ($4::timestamptz is null or e.time >= $4) and ($5::text is null or o.account = $5) order by e.time, e.id limit $6`,
    [ours.map((one) => one.accountId), ours.map((one) => one.account), until, since ?? null, account ?? null, limit],
  )
}
