import type { HostedEvent } from '../../../core/rules/join/hosted.ts'
import { OPEN_ANSWER } from '../../attempts/going-on.ts'
import { query, slowQuery, type Db } from '../../postgres/db.ts'

/** A run whose provider calls the servers itself, with what may explain its events. */
export interface HostedRun {
  id: string
  startedAt: Date
  finishedAt: Date | null
  /** Accounts that it used, as the log names them. */
  accounts: { id: string; own: boolean }[]
  /** Where requests of ours to each server went, by its route's name. */
  hosts: { server: string; host: string; path: string }[]
  calls: { id: string; server: string; tool: string; arguments: unknown }[]
  reported: number
  /** The limit of the job; null: the default. It counts anew for each conversation. */
  limit: number | null
  conversations: number
  answers: number
  /** Its events without a call that the run has explained before. */
  sessions: { host: string; method: string; mcpMethod: string | null; events: number }[]
  lostCalls: number
  unreportedCalls: number
  /** Its attempts; `isOpen`: of an answer that was asked for the end was not seen. `deadline`: the limit of the job as it is written, null: the default. */
  attempts: { startedAt: Date; finishedAt: Date | null; isOpen: boolean; deadline: string | null }[]
  /** Attempts whose answer was never read to its end. */
  lost: { from: Date; until: Date }[]
  tools: Record<string, { allow: string[] }>
  /** `time` is an RFC 3339 text. */
  events: (Omit<HostedEvent, 'time'> & { time: string })[]
}

/** Which events are looked at: of these times, by the clock of the gateway. */
export interface EventSpan {
  since: Date
  until: Date
  /** Also those that raised an alarm. */
  thorough: boolean
}

/** Events that are not explained and belong to a run (`of_run`), by the run's header or by an account of the run's own. */
const OPEN = `
  select e.*, coalesce(e.run_header, a.run_id) as of_run, e.run_header is not null as by_header
  from authorize_events e left join run_accounts a on a.account_id = e.account_id
  where e.matched_by is null and e.time >= $1 and e.time <= $2 and (e.run_header is not null or a.run_id is not null)`
const openOf = ({ thorough }: EventSpan) => (thorough ? OPEN : `${OPEN} and e.alerted_at is null`)
/** Of so many lines it is asked once more whether they are explained: as many as a job may allow calls, so that whoever makes more costs no more. */
const MOST_AGAIN = 10_000
/** Events that were found to be unreported, the first of them: what their run has recorded since may explain them. */
const UNREPORTED = `
  select e.*, e.run_id as of_run, e.run_header is not null as by_header
  from authorize_events e where e.matched_by = 'unreported' and e.time >= $1 and e.time <= $2 and e.run_id = any($3) order by e.time, e.id limit ${MOST_AGAIN}`

/** Ids of runs with events that are not explained yet, in their order. */
export async function listUnexplainedRuns(db: Db, span: EventSpan, page: { after: string; limit: number }): Promise<string[]> {
  const rows = await slowQuery<{ id: string }>(
    db,
    `with open as (${openOf(span)}) select distinct r.id from open o join runs r on r.id = o.of_run
     where r.started_at is not null and r.id > $3 order by r.id limit $4`,
    [span.since, span.until, page.after, page.limit],
  )
  return rows.map(({ id }) => id)
}

/** Those of the runs that are hosted, with their events that are not explained yet, or with those that are unreported. */
export async function loadHostedRuns(
  db: Db,
  span: EventSpan,
  runIds: readonly string[],
  which: 'open' | 'unreported' = 'open',
): Promise<HostedRun[]> {
  const runs = await slowQuery<Omit<HostedRun, 'accounts' | 'hosts' | 'calls' | 'lost' | 'sessions' | 'attempts'> & { id: string }>(
    db,
    `with open as (${which === 'open' ? openOf(span) : UNREPORTED})
     select r.id, r.started_at as "startedAt", r.finished_at as "finishedAt", v.definition -> 'tools' as tools,
       (v.definition -> 'limits' ->> 'toolCalls')::int as "limit", r.conversation as conversations,
       (select count(*)::int from tool_calls t where t.run_id = r.id and t.status <> 'refused') as reported,
       (select count(*)::int from responses p where p.run_id = r.id) as answers,
       (select count(*)::int from authorize_events m where m.run_id = r.id and m.matched_by = 'lost-answer') as "lostCalls",
       (select count(*)::int from authorize_events m where m.run_id = r.id and m.matched_by = 'unreported' and m.mcp_method = 'tools/call')
         - (count(*) filter (where o.matched_by = 'unreported' and o.mcp_method = 'tools/call'))::int as "unreportedCalls",
       json_agg(json_build_object(
         'id', o.id::text, 'time', o.time, 'accountId', o.account_id, 'method', o.method, 'host', o.host, 'path', o.path,
         'mcpMethod', o.mcp_method, 'mcpTool', o.mcp_tool, 'paramsDigest', o.params_digest, 'byHeader', o.by_header
       ) order by o.time, o.id) as events
     from open o join runs r on r.id = o.of_run join job_versions v on v.job = r.job and v.version = r.job_version
     where r.started_at is not null and v.definition ->> 'delegate' = 'hosted' and r.id = any($3)
     group by r.id, v.job, v.version order by r.id`,
    [span.since, span.until, runIds],
  )
  const ids = runs.map(({ id }) => id)
  const [accounts, hosts, calls, lost, sessions, attempts] = [
    await loadAccounts(db, ids),
    await loadHosts(db, ids),
    await loadUnmatchedCalls(db, ids),
    await loadLostAnswers(db, ids),
    await loadSessions(db, ids),
    await loadWork(db, ids),
  ]
  return runs.map((run) => ({
    ...run,
    accounts: accounts.get(run.id) ?? [],
    hosts: hosts.get(run.id) ?? [],
    calls: calls.get(run.id) ?? [],
    lost: lost.get(run.id) ?? [],
    sessions: sessions.get(run.id) ?? [],
    attempts: attempts.get(run.id) ?? [],
  }))
}

/** Rows of several runs, by their run. */
function byRun<Row extends { runId: string }>(rows: readonly Row[]): Map<string, Omit<Row, 'runId'>[]> {
  const found = new Map<string, Omit<Row, 'runId'>[]>()
  for (const { runId, ...row } of rows) found.set(runId, [...(found.get(runId) ?? []), row])
  return found
}

const loadAccounts = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<HostedRun['accounts'][number] & { runId: string }>(
      db,
      `select run_id as "runId", account_id as id, bool_or(own) as own from (
         select run_id, account_id, false as own from gateway_requests where run_id = any($1)
         union all select run_id, account_id, true from run_accounts where run_id = any($1)) used
       group by 1, 2`,
      [runIds],
    ),
  )

const loadHosts = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<HostedRun['hosts'][number] & { runId: string }>(
      db,
      `select distinct run_id as "runId", server, split_part(lower(host), ':', 1) as host, path
       from gateway_requests where run_id = any($1) and server is not null`,
      [runIds],
    ),
  )

/** Calls that the provider reported and that explain no event yet. */
const loadUnmatchedCalls = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<HostedRun['calls'][number] & { runId: string }>(
      db,
      `select t.run_id as "runId", t.id, t.server, text_of_json(t.tool) as tool, t.arguments
       from tool_calls t where t.run_id = any($1) and t.status <> 'refused' and text_of_json(t.tool) is not null
         and not exists (select 1 from authorize_events m where m.tool_call_id = t.id)
         and not exists (select 1 from gateway_requests g where g.tool_call_id = t.id)
       order by t.turn, t.position`,
      [runIds],
    ),
  )

/** When attempts were under way that asked for an answer and did not see its end. */
const loadLostAnswers = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<{ runId: string; from: Date; until: Date }>(
      db,
      `select a.run_id as "runId", a.started_at as "from", a.finished_at as until
       from attempts a where a.run_id = any($1) and a.status in ('lost', 'failed', 'cancelled')
         and exists (select 1 from responses p where p.run_id = a.run_id and p.attempt = a.number
           and not exists (select 1 from turns t where t.run_id = p.run_id and t.number = p.turn))`,
      [runIds],
    ),
  )

/** Attempts of the runs that asked their provider. */
const loadWork = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<HostedRun['attempts'][number] & { runId: string }>(
      db,
      `select a.run_id as "runId", a.started_at as "startedAt", a.finished_at as "finishedAt", ${OPEN_ANSWER} as "isOpen",
         v.definition -> 'limits' ->> 'deadline' as deadline
       from attempts a join runs r on r.id = a.run_id join job_versions v on v.job = r.job and v.version = a.job_version
       where a.run_id = any($1) and exists (select 1 from responses p where p.run_id = a.run_id and p.attempt = a.number)`,
      [runIds],
    ),
  )

/** What the runs have explained by themselves before, of events without a call. */
const loadSessions = async (db: Db, runIds: readonly string[]) =>
  byRun(
    await query<HostedRun['sessions'][number] & { runId: string }>(
      db,
      `select run_id as "runId", host, method, mcp_method as "mcpMethod", count(*)::int as events
       from authorize_events
       where run_id = any($1) and matched_by in ('run-header', 'account') and mcp_method is distinct from 'tools/call'
       group by 1, 2, 3, 4`,
      [runIds],
    ),
  )

export interface Explanation {
  eventId: string
  matchedBy: 'run-header' | 'account' | 'lost-answer' | 'unreported'
  runId: string
  toolCallId: string | null
}

/** Writes explanations; an event that has one keeps it, but for one that is unreported. Returns how many were written. */
export async function explainEvents(db: Db, explanations: readonly Explanation[]): Promise<number> {
  if (explanations.length === 0) return 0
  const rows = await query(
    db,
    `with explained as (
       update authorize_events e set matched_by = x.how, run_id = x.run_id, tool_call_id = x.tool_call_id
       from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[]) as x(id, how, run_id, tool_call_id)
       where e.id = x.id and (e.matched_by is null or (e.matched_by = 'unreported' and x.how <> 'unreported')) returning x.run_id, x.how),
     marked as (
       update runs set untold = true where not untold and id in (select run_id from explained where how = 'unreported'))
     select 1 from explained`,
    [
      explanations.map((x) => x.eventId),
      explanations.map((x) => x.matchedBy),
      explanations.map((x) => x.runId),
      explanations.map((x) => x.toolCallId),
    ],
  )
  return rows.length
}
