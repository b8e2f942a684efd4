// @ts-nocheck
import type { FailureRecord } from '../../core/failure.ts'
import type { Reason, RunStatus, Trigger, TurnItem, Usage } from '../../core/run.ts'
import type { AttemptView, DecisionView, RunView, ToolCallView } from '../../core/view.ts'
import { query, type Db } from '../postgres/db.ts'

interface RunRow {
  id: string
  job: string
  job_version: string
  status: RunStatus
  reasons: Reason[]
  failure: FailureRecord | null
  trigger: Trigger
  requested_by: string | null
  held_by: string | null
  account: string
  retry_of: string | null
  input: unknown
  output: unknown
  output_text: string | null
  input_tokens: string
  cached_tokens: string
  output_tokens: string
  reasoning_tokens: string
  cost_usd: number | null
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}

const iso = (date: Date) => date.toISOString()
const isoOrNull = (date: Date | null) => date?.toISOString() ?? null

interface UsageRow {
  input_tokens: string
  cached_tokens: string
  output_tokens: string
  reasoning_tokens: string
}

const usageOf = (row: UsageRow): Usage => ({
  inputTokens: Number(row.input_tokens),
  cachedTokens: Number(row.cached_tokens),
  outputTokens: Number(row.output_tokens),
  reasoningTokens: Number(row.reasoning_tokens),
})

/** Everything that is known of one run, in the shape that `show --json` promises. Undefined when there is no such run. */
export async function loadRun(db: Db, id: string): Promise<RunView | undefined> {
  const [run] = await query<RunRow>(db, 'select * from runs where id = $1', [id])
  if (!run) return undefined
  const attempts = await query<Omit<AttemptView, 'startedAt' | 'finishedAt'> & { started_at: Date; finished_at: Date | null }>(
    db,
    'select number, status, worker, conversation, job_version as "jobVersion", prompt, instructions, failure, output, output_text as "outputText", reasons, started_at, finished_at from attempts where run_id = $1 order by number',
    [id],
  )
  const turns = await query<
    UsageRow & {
      number: number
      attempt: number
      items: TurnItem[]
      stop_reason: string
      response_id: string | null
      provider_request_id: string | null
      model: string
      cost_usd: number | null
      started_at: Date
      finished_at: Date
    }
  >(db, 'select * from turns where run_id = $1 order by number', [id])
  const calls = await query<
    Omit<ToolCallView, 'requestIdSent' | 'requestId' | 'durationMs' | 'startedAt' | 'finishedAt' | 'decision'> & {
      request_id_sent: string | null
      request_id: string | null
      duration_ms: number | null
      started_at: Date
      finished_at: Date | null
    }
  >(
    db,
    `select t.id, t.attempt, t.turn, t.server, t.tool, t.arguments, t.status, t.result, t.failure, t.repeatable, t.started_at, t.finished_at, t.duration_ms,
       g.request_id_sent, g.request_id
     from tool_calls t left join lateral (
       select request_id_sent, request_id from gateway_requests g where g.tool_call_id = t.id and g.run_id = t.run_id order by sent_at desc limit 1) g on true
     where t.run_id = $1 order by t.turn, t.position, t.started_at`,
    [id],
  )
  const requests = await query<{
    request_id_sent: string; request_id: string | null; attempt: number; account: string; account_id: string; method: string; host: string; path: string; rpc_method: string | null
    status: number | null; error: string | null; request_bytes: number; response_bytes: string | null; sent_at: Date; duration_ms: number | null
  }>(db, 'select * from gateway_requests where run_id = $1 order by sent_at, request_id_sent', [id]) // prettier-ignore
  const decisions = await loadDecisions(db, id)
  return {
    id: run.id,
    job: run.job,
    jobVersion: run.job_version,
    status: run.status,
    reasons: run.reasons,
    failure: run.failure,
    trigger: run.trigger,
    requestedBy: run.requested_by,
    heldBy: run.held_by,
    account: run.account,
    retryOf: run.retry_of,
    input: run.input,
    output: run.output,
    outputText: run.output_text,
    usage: usageOf(run),
    cost: { usd: run.cost_usd },
    attempts: attempts.map(({ started_at, finished_at, ...rest }) => ({
      ...rest,
      startedAt: iso(started_at),
      finishedAt: isoOrNull(finished_at),
    })),
    turns: turns.map((turn) => ({
      number: turn.number,
      attempt: turn.attempt,
      items: turn.items,
      stopReason: turn.stop_reason,
      responseId: turn.response_id,
      providerRequestId: turn.provider_request_id,
      model: turn.model,
      usage: usageOf(turn),
      costUsd: turn.cost_usd,
      startedAt: iso(turn.started_at),
      finishedAt: iso(turn.finished_at),
    })),
    toolCalls: calls.map(({ request_id_sent, request_id, duration_ms, started_at, finished_at, ...call }) => ({
      ...call,
      requestIdSent: request_id_sent,
      // The provider's own requests are known by the log alone.
      requestId: request_id ?? decisions.byCall.get(call.id)?.requestId ?? null,
      decision: decisions.byRequest.get(request_id_sent ?? '') ?? decisions.byCall.get(call.id) ?? null,
      durationMs: duration_ms,
      startedAt: iso(started_at),
      finishedAt: isoOrNull(finished_at),
    })),
    gatewayRequests: requests.map((request) => ({
      requestIdSent: request.request_id_sent,
      requestId: request.request_id,
      attempt: request.attempt,
      account: request.account,
      accountId: request.account_id,
      method: request.method,
      host: request.host,
      path: request.path,
      rpcMethod: request.rpc_method,
      decision: decisions.byRequest.get(request.request_id_sent) ?? null,
      status: request.status,
      error: request.error,
      requestBytes: request.request_bytes,
      responseBytes: request.response_bytes === null ? null : Number(request.response_bytes),
      sentAt: iso(request.sent_at),
      durationMs: request.duration_ms,
    })),
    createdAt: iso(run.created_at),
    startedAt: isoOrNull(run.started_at),
    finishedAt: isoOrNull(run.finished_at),
  }
}

/** The job and status of a run, for whoever waits for it. */
export async function loadStatus(db: Db, id: string): Promise<{ job: string; status: RunStatus } | undefined> {
  const [row] = await query<{ job: string; status: RunStatus }>(db, 'select job, status from runs where id = $1', [id], 'run status')
  return row
}

/** What Pomerium's log says about the calls and requests of a run. */
async function loadDecisions(db: Db, runId: string): Promise<{ byCall: Map<string, DecisionView>; byRequest: Map<string, DecisionView> }> {
  const rows = await query<{
    request_id: string; time: Date; allowed: boolean; reasons: string[]; matched_by: string; gateway_request: string | null; tool_call_id: string | null
  }>(
    db,
    'select request_id, time, allowed, reasons, matched_by, gateway_request, tool_call_id from authorize_events where run_id = $1 and matched_by is not null',
    [runId],
    'decisions',
  ) // prettier-ignore
  const byCall = new Map<string, DecisionView>()
  const byRequest = new Map<string, DecisionView>()
  for (const row of rows) {
    const decision = {
      allowed: row.allowed,
      reasons: row.reasons,
      requestId: row.request_id,
      matchedBy: row.matched_by,
      time: iso(row.time),
    }
    if (row.tool_call_id !== null) byCall.set(row.tool_call_id, decision)
    if (row.gateway_request !== null) byRequest.set(row.gateway_request, decision)
  }
  return { byCall, byRequest }
}

/** Changes whenever the timeline of a run does; far cheaper to ask for than the run. Undefined when there is no such run. */
export async function loadTimelineVersion(db: Db, id: string): Promise<string | undefined> {
  const [row] = await query<{ version: string }>(
    db,
    `select concat_ws(' ', r.status, r.attempts, r.conversation, (select count(*) from attempts a where a.run_id = r.id and a.finished_at is not null),
       (select count(*) from turns t where t.run_id = r.id), (select count(*) from tool_calls c where c.run_id = r.id and c.status <> 'sent')) as version
     from runs r where r.id = $1`,
    [id],
    'timeline version',
  )
  return row?.version
}
