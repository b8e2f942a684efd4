// @ts-nocheck
import { query, type Db } from '../postgres/db.ts'

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
           row_number() over (partition by e.id order by g.sent_at, g.request_id_sent) as of_event,
           row_number() over (partition by g.tool_call_id order by g.sent_at, e.time, e.id) as of_call
         from authorize_events e join gateway_requests g on ${join} left join tool_calls t on t.id = g.tool_call_id
         where e.matched_by is null and e.time >= $1 and e.method = g.method and e.host = split_part(lower(g.host), ':', 1)
           and (e.account_id = g.account_id or (e.account_id is null and g.status in (401, 302)))
           and (e.mcp_method is null or e.mcp_method = coalesce(g.rpc_method, case when e.mcp_method <> 'tools/call' then e.mcp_method end)) and (e.mcp_tool is null or t.id is null or e.mcp_tool = t.tool #>> '{}')
           and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)),
       done as (
         -- A call that was sent again has several requests; its row names one of them.
         update authorize_events e set matched_by = $2, gateway_request = f.request_id_sent, run_id = f.run_id,
           tool_call_id = case when f.of_call = 1 and not exists (select 1 from authorize_events m where m.tool_call_id = f.tool_call_id) then f.tool_call_id end
         from found f where e.id = f.id and e.matched_by is null and f.of_request = 1 and f.of_event = 1 returning 1)
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
  /** Attempts whose answer was never read to its end. RFC 3339. */
  lost: { from: string; until: string }[]
  tools: Record<string, { allow: string[] }>
  events: {
    id: string
    /** RFC 3339. */
    time: string
    accountId: string | null
    method: string
    host: string
    mcpMethod: string | null
    mcpTool: string | null
    paramsDigest: string | null
    byHeader: boolean
  }[]
}

/** Hosted runs with events that are not explained yet, by id: by the run's header, or by an account of the run's own. */
export async function loadHostedRuns(db: Db, { since, after, limit }: { since: Date; after: string; limit: number }): Promise<HostedRun[]> {
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
       coalesce((select json_agg(json_build_object('from', a.started_at, 'until', a.finished_at)) from attempts a where a.run_id = r.id and a.status in ('lost', 'failed', 'cancelled')
         and exists (select 1 from responses p where p.run_id = r.id and p.attempt = a.number
           and not exists (select 1 from turns t where t.run_id = r.id and t.number = p.turn))), '[]') as lost,
       v.definition -> 'tools' as tools,
       (select json_agg(json_build_object('id', o.id::text, 'time', o.time, 'accountId', o.account_id, 'method', o.method, 'host', o.host, 'mcpMethod', o.mcp_method, 'mcpTool', o.mcp_tool,
         'paramsDigest', o.params_digest, 'byHeader', o.by_header) order by o.time, o.id) from open o where o.of_run = r.id) as events
     from runs r join job_versions v on v.job = r.job and v.version = r.job_version
     where r.id in (select of_run from open) and r.started_at is not null and v.definition ->> 'delegate' = 'hosted' and r.id > $3 order by r.id limit $2`,
    [since, limit, after],
  )
}

export interface Explanation {
  eventId: string
  matchedBy: 'run-header' | 'account' | 'lost-answer'
  runId: string
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

/** The account's name here of an account id; null: none of ours. Ours are those of the configuration, and all that ever made a request of ours. */
export const accountOf = (id: string, ids: string, names: string) => `coalesce(
  (select max(n.name) from unnest(${ids}::text[], ${names}::text[]) as n(id, name) where n.id = ${id}),
  (select a.account from run_accounts a where a.account_id = ${id}),
  (select g.account from gateway_requests g where g.account_id = ${id} order by g.sent_at limit 1))`

/**
 * Whether it is too early to say that an event `e` is unexplained: it is young, its run's provider may still report the call, or a request of a
 * run is under way whose returned id is not known before its answer.
 */
export const tooEarly = (until: string) => `(e.time > ${until} or exists (
  select 1 from runs r join job_versions v on v.job = r.job and v.version = r.job_version
  where r.id = coalesce(e.run_header, (select a.run_id from run_accounts a where a.account_id = e.account_id)) and v.definition ->> 'delegate' = 'hosted'
    and (r.status = 'running' or r.finished_at > ${until})) or exists (
  select 1 from gateway_requests g join attempts a on a.run_id = g.run_id and a.number = g.attempt
  where g.account_id = e.account_id and g.sent_at between e.time - interval '1 minute' and e.time + interval '1 minute' and g.method = e.method
    and split_part(lower(g.host), ':', 1) = e.host and g.request_id is null and g.status is null and g.error is null and a.finished_at is null
    and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)))`

type Ours = readonly { accountId: string; account: string }[]

const idsAndNames = (ours: Ours) => [ours.map((one) => one.accountId), ours.map((one) => one.account)]

export interface UnexplainedFilter {
  /** Events after this, the end of the grace time, are too young. */
  until: Date
  since?: Date | undefined
  account?: string | undefined
  /** Only those that no alarm was raised for. */
  fresh?: boolean
  limit?: number
}

/** Events of our accounts that nothing explains, oldest first. */
export async function listUnexplained(
  db: Db,
  ours: Ours,
  { until, since, account, fresh = false, limit = 1000 }: UnexplainedFilter,
): Promise<OpenEvent[]> {
  return query<OpenEvent>(
    db,
    `with open as (
       select e.* from authorize_events e
       where e.matched_by is null and e.account_id is not null and e.time <= $3 and ($4::timestamptz is null or e.time >= $4) and (not $7 or e.alerted_at is null)),
     known as (select k.account_id, ${accountOf('k.account_id', '$1', '$2')} as account from (select distinct account_id from open) k)
     select e.id::text, e.time, e.request_id as "requestId", e.account_id as "accountId", o.account, e.method, e.host, e.path, e.ip, e.mcp_method as "mcpMethod",
       e.mcp_tool as "mcpTool", e.run_header as "runHeader", e.allowed, e.alerted_at is not null as alerted
     from open e join known o on o.account_id = e.account_id
     where o.account is not null and ($5::text is null or o.account = $5) and not ${tooEarly('$3')} order by e.time, e.id limit $6`,
    [...idsAndNames(ours), until, since ?? null, account ?? null, limit, fresh],
  )
}

/** Requests of other programs that share an account, as the configuration declares them. */
export interface ExpectedNoise {
  account: string
  host?: string | undefined
  path?: string | undefined
  ip?: string | undefined
  tool?: string | undefined
}

/** Explains events that the configuration says to expect. Returns how many. */
export async function explainExpected(db: Db, ours: Ours, expected: readonly ExpectedNoise[]): Promise<number> {
  const rows = await query<{ n: number }>(
    db,
    `with noise as (select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as n(account, host, path, ip, tool)),
     known as (
       select k.account_id, ${accountOf('k.account_id', '$1', '$2')} as account
       from (select distinct account_id from authorize_events where matched_by is null and account_id is not null) k),
     done as (
       update authorize_events e set matched_by = 'expected' from known o
       where e.matched_by is null and o.account_id = e.account_id and exists (
         select 1 from noise n where n.account = o.account and (n.host is null or split_part(lower(n.host), ':', 1) = e.host)
           and (n.path is null or n.path = e.path) and (n.ip is null or n.ip = e.ip) and (n.tool is null or n.tool = e.mcp_tool)) returning 1)
     select count(*)::int as n from done`,
    [
      ...idsAndNames(ours),
      expected.map((noise) => noise.account),
      ...(['host', 'path', 'ip', 'tool'] as const).map((field) => expected.map((noise) => noise[field] ?? null)),
    ],
  )
  return rows[0]?.n ?? 0
}
