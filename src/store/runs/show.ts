import type pg from 'pg'
import { modelsUsed } from '../../core/models/used.ts'
import type { FinalStatus, Reason, RunStatus } from '../../core/run.ts'
import { notesIn, readTurnContext } from '../../core/rules/context/record.ts'
import type {
  AttemptView,
  DecisionView,
  GatewayRequestView,
  RunEndView,
  RunView,
  ToolCallView,
  TurnView,
  UnreportedView,
} from '../../core/view.ts'
import { loadRunActs } from '../acts/list.ts'
import { loadGoingOn } from '../attempts/going-on.ts'
import { COST_AT_LEAST, ESTIMATED, USAGE, withUsage, type UsageRow } from '../attempts/usage.ts'
import { query, queryIso, snapshot, type Db } from '../postgres/db.ts'

type Children = 'attempts' | 'turns' | 'toolCalls' | 'gatewayRequests' | 'unreported' | 'acts' | 'earlierEnds'
type RunRow = Omit<RunView, 'usage' | 'cost' | 'models' | 'endedAs' | Children> &
  UsageRow & { costUsd: number | null; costAtLeast: boolean; endedStatus: FinalStatus | null; endedReasons: Reason[] }

/** Everything that is known of one run, in the shape that `show --json` promises, as it was at one moment. Undefined when there is no such run. */
export async function loadRun(db: Db, id: string): Promise<RunView | undefined> {
  return snapshot(db, async (client) => {
    const [row] = await queryIso<RunRow>(
      client,
      `select id, job, job_version as "jobVersion", status, reasons,
         case when ended_as ->> 'status' <> status or ended_as ->> 'reasons' <> reasons::text then ended_as ->> 'status' end as "endedStatus", (ended_as ->> 'reasons')::json as "endedReasons", failure, trigger, requested_by as "requestedBy", tags,
         case when status = 'queued' then held_by end as "heldBy", case when status = 'queued' then next_attempt_at end as "nextAttemptAt",
         case when status = 'queued' and runs.attempts = 0 then expire_at end as "expireAt", waits_for as "waitsFor",
         (select e.id from runs e where e.id = runs.after_run and e.finished_at is null and runs.status = 'queued') as "afterRun", account, retry_of as "retryOf", input, output, output_text as "outputText", ending,
         mended, ${USAGE}, ${ESTIMATED} as estimated, cost_usd as "costUsd", ${COST_AT_LEAST} as "costAtLeast",
         created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"
       from runs where id = $1`,
      [id],
      'show run',
    )
    if (!row) return undefined
    const { costUsd, costAtLeast, endedStatus, endedReasons, ...run } = withUsage(row)
    const turns = await loadTurns(client, id)
    const decisions = await loadDecisions(client, id)
    return {
      ...run,
      cost: { usd: costUsd, atLeast: costAtLeast },
      models: modelsUsed(turns),
      endedAs: endedStatus === null ? null : { status: endedStatus, reasons: endedReasons },
      attempts: await loadAttempts(client, id),
      turns,
      toolCalls: await loadToolCalls(client, id, decisions),
      gatewayRequests: await loadRequests(client, id, decisions),
      unreported: await loadUnreported(client, id),
      acts: await loadRunActs(client, id),
      earlierEnds: await loadEarlierEnds(client, id),
    }
  })
}

async function loadAttempts(client: pg.PoolClient, runId: string): Promise<AttemptView[]> {
  const [attempts, goingOn] = [await attemptRows(client, runId), await loadGoingOn(client, runId)]
  return attempts.map((attempt) => ({
    ...attempt,
    mayGoOnUntil: attempt.finishedAt === null ? null : (goingOn.get(attempt.number)?.until.toISOString() ?? null),
  }))
}

const attemptRows = (client: pg.PoolClient, runId: string) =>
  queryIso<Omit<AttemptView, 'mayGoOnUntil'> & { number: number }>(
    client,
    `select number, status, worker, conversation, job_version as "jobVersion", prompt, instructions, contract, failure,
       output, output_text as "outputText", ending, mended, reasons, started_at as "startedAt", finished_at as "finishedAt"
     from attempts where run_id = $1 order by number`,
    [runId],
    'show attempts',
  )

async function loadTurns(client: pg.PoolClient, runId: string): Promise<TurnView[]> {
  const turns = await queryIso<Omit<TurnView, 'usage' | 'putAside' | 'compacted' | 'notes'> & UsageRow & { context: unknown }>(
    client,
    `select number, attempt, told, purpose, context, items, stop_reason as "stopReason", response_id as "responseId",
       provider_request_id as "providerRequestId", provider, model, tier, waits, ${USAGE}, cost_usd as "costUsd",
       started_at as "startedAt", finished_at as "finishedAt"
     from turns where run_id = $1 order by number`,
    [runId],
    'show turns',
  )
  return turns.map(({ context, ...row }) => {
    const { aside = [], compacted = 0 } = readTurnContext(context)
    return { ...withUsage(row), putAside: aside.length, compacted, notes: notesIn(row.items) ?? null }
  })
}

async function loadToolCalls(client: pg.PoolClient, runId: string, decisions: Decisions): Promise<ToolCallView[]> {
  const calls = await queryIso<Omit<ToolCallView, 'decision'> & { id: string }>(
    client,
    `select t.id, t.attempt, t.turn, t.server, t.tool, t.arguments, t.status, t.result, t.failure, t.repeatable,
       g.request_id_sent as "requestIdSent", g.request_id as "requestId", t.duration_ms as "durationMs",
       t.started_at as "startedAt", t.finished_at as "finishedAt"
     from tool_calls t left join lateral (
       select request_id_sent, request_id from gateway_requests g
       where g.tool_call_id = t.id and g.run_id = t.run_id order by sent_at desc limit 1) g on true
     where t.run_id = $1 order by t.turn, t.position, t.started_at`,
    [runId],
    'show tool calls',
  )
  return calls.map((call) => ({
    ...call,
    // The provider's own requests are known by the log alone.
    requestId: call.requestId ?? decisions.byCall.get(call.id)?.requestId ?? null,
    decision: decisions.byRequest.get(call.requestIdSent ?? '') ?? decisions.byCall.get(call.id) ?? null,
  }))
}

async function loadRequests(client: pg.PoolClient, runId: string, decisions: Decisions): Promise<GatewayRequestView[]> {
  const requests = await queryIso<Omit<GatewayRequestView, 'decision'> & { requestIdSent: string }>(
    client,
    `select request_id_sent as "requestIdSent", request_id as "requestId", attempt, account,
       account_id as "accountId", method, host, path, rpc_method as "rpcMethod", status, error,
       request_bytes as "requestBytes", response_bytes as "responseBytes", sent_at as "sentAt",
       duration_ms as "durationMs"
     from gateway_requests where run_id = $1 order by sent_at, request_id_sent`,
    [runId],
    'show requests',
  )
  return requests.map((request) => ({ ...request, decision: decisions.byRequest.get(request.requestIdSent) ?? null }))
}

const MOST_UNREPORTED = 100

const loadUnreported = (client: pg.PoolClient, runId: string) =>
  queryIso<UnreportedView & { requestId: string }>(
    client,
    `select request_id as "requestId", time, account_id as "accountId", host, mcp_method as "mcpMethod", mcp_tool as tool, ip, allowed,
       matched_by as "matchedBy"
     from authorize_events where run_id = $1 and matched_by in ('unreported', 'lost-answer') order by authorize_events.time, id limit ${MOST_UNREPORTED}`,
    [runId],
    'show unreported',
  )

const loadEarlierEnds = (client: pg.PoolClient, runId: string) =>
  queryIso<RunEndView & { conversation: number }>(
    client,
    `select conversation, status, failure, reasons, finished_at as "finishedAt" from run_ends where run_id = $1 order by conversation`,
    [runId],
    'show ends',
  )

/** What Pomerium's log says about the calls and requests of a run. */
interface Decisions {
  byCall: ReadonlyMap<string, DecisionView>
  byRequest: ReadonlyMap<string, DecisionView>
}

async function loadDecisions(client: pg.PoolClient, runId: string): Promise<Decisions> {
  const rows = await queryIso<DecisionView & { gatewayRequest: string | null; toolCallId: string | null }>(
    client,
    `select allowed, reasons, request_id as "requestId", matched_by as "matchedBy", time,
       gateway_request as "gatewayRequest", tool_call_id as "toolCallId"
     from authorize_events where run_id = $1 and (gateway_request is not null or tool_call_id is not null)`,
    [runId],
    'show decisions',
  )
  const byCall = new Map<string, DecisionView>()
  const byRequest = new Map<string, DecisionView>()
  for (const { gatewayRequest, toolCallId, ...decision } of rows) {
    if (toolCallId !== null) byCall.set(toolCallId, decision)
    if (gatewayRequest !== null) byRequest.set(gatewayRequest, decision)
  }
  return { byCall, byRequest }
}

/** The job and status of a run, for whoever waits for it. */
export async function loadStatus(db: Db, id: string): Promise<{ job: string; status: RunStatus } | undefined> {
  const [row] = await query<{ job: string; status: RunStatus }>(db, 'select job, status from runs where id = $1', [id], 'run status')
  return row
}

/** The newest run's id. Undefined when there are none. */
export async function latestId(db: Db): Promise<string | undefined> {
  const [row] = await query<{ id: string }>(db, 'select id from runs order by id desc limit 1')
  return row?.id
}

/**
 * Ids that begin or end with a part of one, which holds four hexadecimal digits and hyphens or more; the newest of them, `limit` at most. So few end with it that they are
 * found first, by the index of tails, and then put in order: asked for as one question, all runs may be walked from the newest on.
 */
export async function findIds(db: Db, part: string, limit: number): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    `select id from (
       (select id from runs where id >= 'run_' || $1 and id < 'run_' || $1 || 'g' order by id desc limit $2)
       union
       (select id from (select id from runs where reverse(id) like reverse($1) || '%' offset 0) tails order by id desc limit $2)) found
     order by id desc limit $2`,
    [part, limit],
  )
  return rows.map(({ id }) => id)
}

/** How a run stands, for whoever watches it; far cheaper to ask for than the run. */
export interface RunState {
  status: RunStatus
  /** Changes whenever the timeline of the run does. */
  version: string
}

/** How these runs stand, those that there are. */
export async function loadRunStates(db: Db, ids: readonly string[]): Promise<Map<string, RunState>> {
  const rows = await query<RunState & { id: string }>(
    db,
    `select r.id, r.status, concat_ws(' ', r.status, r.attempts, r.conversation,
       (select count(*) from attempts a where a.run_id = r.id and a.finished_at is not null),
       (select count(*) from run_acts u where u.run_id = r.id),
       (select count(*) from turns t where t.run_id = r.id),
       (select count(*) from tool_calls c where c.run_id = r.id and c.status <> 'sent')) as version
     from runs r where r.id = any($1::text[])`,
    [ids],
    'run states',
  )
  return new Map(rows.map(({ id, ...state }) => [id, state]))
}
