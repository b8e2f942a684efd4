import type {
  GatewayRequestEnd,
  GatewayRequestRecord,
  LostCalls,
  PromptRecord,
  ResponseRecord,
  ResponseState,
  ToolCallDetails,
  ToolCallEnd,
  ToolCallRecord,
  TurnRecord,
  UnseenAnswer,
} from '../../core/ports/journal.ts'
import { storeText } from '../../lib/text.ts'
import { jsonOrNull } from '../postgres/parameters.ts'

/** What the statement of a flush has to know of a kind of row. */
export interface RowKind {
  columns: readonly { name: string; type: string }[]
  /** The statement that writes the rows of this name: `run_id`, `attempt` and the columns. */
  write: (rows: string) => string
  /** Written even when the attempt has lost the run: the outcome of a request that was already sent. */
  unfenced: boolean
}

/** One kind of row of the journal. */
export interface Kind<Record> extends RowKind {
  valuesOf: (record: Record) => unknown[]
  /** What the record is about: its id, or its number within the run. */
  keyOf: (record: Record) => string | number
}

/** A column: its type, and what is written there. `json?` is null where there is nothing; text keeps only what Postgres can hold. */
type Column<Record> = readonly [type: Type, valueOf: (record: Record) => unknown]
type Type = 'uuid' | 'int' | 'bigint' | 'double precision' | 'boolean' | 'timestamptz' | 'text' | 'json' | 'json?'

function kind<Record>(options: {
  columns: { [name: string]: Column<Record> }
  keyOf: (record: Record) => string | number
  write: (rows: string, names: string) => string
  unfenced?: boolean
}): Kind<Record> {
  const columns = Object.entries(options.columns).map(([name, [type, valueOf]]) => ({ name, type, valueOf }))
  const names = columns.map(({ name }) => name).join(', ')
  return {
    columns: columns.map(({ name, type }) => ({ name, type: type === 'json?' ? 'json' : type })),
    write: (rows) => options.write(rows, names),
    unfenced: options.unfenced ?? false,
    valuesOf: (record) => columns.map(({ type, valueOf }) => stored(type, valueOf(record))),
    keyOf: options.keyOf,
  }
}

function stored(type: Type, value: unknown): unknown {
  if (type === 'json') return JSON.stringify(value ?? null)
  if (type === 'json?') return jsonOrNull(value)
  return type === 'text' && typeof value === 'string' ? storeText(value) : value
}

/** A row that is there already is left as it is: a flush whose answer was lost is sent again. */
const insertInto = (table: string) => (rows: string, names: string) =>
  `insert into ${table} (run_id, attempt, ${names}) select run_id, attempt, ${names} from ${rows} on conflict do nothing`

export const prompt = kind<PromptRecord & { token: string }>({
  // A run has as many prompts as attempts.
  keyOf: ({ token }) => token,
  columns: {
    prompt: ['json?', (p) => p.prompt],
    instructions: ['json?', (p) => p.instructions],
    contract: ['text', (p) => p.contract],
  },
  write: (rows) =>
    `update attempts a set prompt = r.prompt, instructions = r.instructions, contract = r.contract
     from ${rows} r where a.run_id = r.run_id and a.number = r.attempt`,
})

export const turn = kind<TurnRecord>({
  keyOf: ({ number }) => number,
  columns: {
    number: ['int', (t) => t.number],
    told: ['text', (t) => t.told],
    items: ['json', (t) => t.items],
    stop_reason: ['text', (t) => t.stopReason],
    forced_by: ['json?', (t) => t.forcedBy],
    response_id: ['text', (t) => t.responseId],
    provider_request_id: ['text', (t) => t.providerRequestId],
    provider: ['text', (t) => t.provider],
    model: ['text', (t) => t.model],
    tier: ['text', (t) => t.tier],
    waits: ['json?', (t) => t.waits],
    purpose: ['text', (t) => t.purpose],
    context: ['json?', (t) => t.context],
    input_tokens: ['bigint', (t) => t.usage.inputTokens],
    cached_tokens: ['bigint', (t) => (t.usage.estimated ? null : t.usage.cachedTokens)],
    cache_write_tokens: ['bigint', (t) => t.usage.cacheWriteTokens],
    output_tokens: ['bigint', (t) => t.usage.outputTokens],
    reasoning_tokens: ['bigint', (t) => (t.usage.estimated ? null : t.usage.reasoningTokens)],
    cost_usd: ['double precision', (t) => t.costUsd],
    started_at: ['timestamptz', (t) => t.startedAt],
    finished_at: ['timestamptz', (t) => t.finishedAt],
  },
  write: insertInto('turns'),
})

export const unseenAnswer = kind<UnseenAnswer>({
  keyOf: ({ turn: asked }) => asked,
  columns: {
    turn: ['int', (u) => u.turn],
    input_tokens: ['bigint', (u) => u.usage.inputTokens],
    output_tokens: ['bigint', (u) => u.usage.outputTokens],
  },
  write: insertInto('unseen_answers'),
})

export const response = kind<ResponseRecord>({
  keyOf: (r) => r.turn,
  columns: {
    turn: ['int', (r) => r.turn],
    background: ['boolean', (r) => r.background],
  },
  write: insertInto('responses'),
})

export const responseState = kind<ResponseState>({
  keyOf: (r) => r.turn,
  columns: {
    turn: ['int', (r) => r.turn],
    response_id: ['text', (r) => r.responseId],
    state: ['text', (r) => r.state],
    background: ['boolean', (r) => r.background],
  },
  write: (rows) =>
    `update responses p set response_id = coalesce(r.response_id, p.response_id), state = r.state,
       background = coalesce(r.background, p.background)
     from ${rows} r where p.run_id = r.run_id and p.turn = r.turn`,
})

/** A call, with its end when it is never sent. */
export const toolCall = kind<ToolCallRecord & { end?: ToolCallEnd }>({
  keyOf: ({ id }) => id,
  columns: {
    id: ['uuid', (c) => c.id],
    turn: ['int', (c) => c.turn],
    position: ['int', (c) => c.position],
    call_id: ['json', (c) => c.callId],
    server: ['text', (c) => c.server],
    tool: ['json', (c) => c.tool],
    arguments: ['json', (c) => c.arguments],
    repeatable: ['boolean', (c) => c.repeatable],
    status: ['text', (c) => c.end?.status ?? 'sent'],
    result: ['json?', (c) => c.end?.result],
    failure: ['json?', (c) => c.end?.failure],
    duration_ms: ['double precision', (c) => c.end?.durationMs],
    finished_at: ['timestamptz', (c) => c.end && new Date()],
  },
  write: insertInto('tool_calls'),
})

/** A call whose end was seen keeps what it has. */
export const toolCallDetails = kind<ToolCallDetails>({
  keyOf: ({ id }) => id,
  columns: {
    id: ['uuid', (d) => d.id],
    server: ['text', (d) => d.server],
    tool: ['json', (d) => d.tool],
    arguments: ['json', (d) => d.arguments],
    repeatable: ['boolean', (d) => d.repeatable],
  },
  write: (rows) =>
    `update tool_calls t set server = r.server, tool = r.tool, arguments = r.arguments, repeatable = r.repeatable
     from ${rows} r where t.id = r.id and t.status in ('sent', 'unknown')`,
})

export const lostCalls = kind<LostCalls>({
  keyOf: (l) => l.turn,
  columns: {
    turn: ['int', (l) => l.turn],
    failure: ['json', (l) => l.failure],
  },
  write: (rows) =>
    `update tool_calls t set status = 'unknown', failure = r.failure, finished_at = clock_timestamp()
     from ${rows} r where t.run_id = r.run_id and t.turn = r.turn and t.status = 'sent'`,
})

export const toolCallEnd = kind<ToolCallEnd>({
  keyOf: ({ id }) => id,
  columns: {
    id: ['uuid', (e) => e.id],
    status: ['text', (e) => e.status],
    result: ['json?', (e) => e.result],
    failure: ['json?', (e) => e.failure],
    duration_ms: ['double precision', (e) => e.durationMs],
  },
  write: (rows) =>
    `update tool_calls t set status = r.status, result = r.result, failure = r.failure,
       duration_ms = r.duration_ms, finished_at = clock_timestamp()
     from ${rows} r where t.id = r.id`,
})

/** That a run refers to a content, which is there. */
export const runContent = kind<{ digest: string }>({
  keyOf: ({ digest }) => digest,
  columns: { digest: ['text', (c) => c.digest] },
  write: (rows) => `insert into run_contents (run_id, digest) select run_id, digest from ${rows} on conflict do nothing`,
})

export const gatewayRequest = kind<GatewayRequestRecord>({
  keyOf: (g) => g.requestIdSent,
  columns: {
    request_id_sent: ['uuid', (g) => g.requestIdSent],
    tool_call_id: ['uuid', (g) => g.toolCallId],
    account: ['text', (g) => g.account],
    account_id: ['text', (g) => g.accountId],
    method: ['text', (g) => g.method],
    host: ['text', (g) => g.host],
    path: ['text', (g) => g.path],
    rpc_method: ['text', (g) => g.rpcMethod],
    server: ['text', (g) => g.server],
    request_bytes: ['int', (g) => g.requestBytes],
    sent_at: ['timestamptz', (g) => g.sentAt],
  },
  write: insertInto('gateway_requests'),
})

export const gatewayRequestEnd = kind<GatewayRequestEnd>({
  keyOf: (g) => g.requestIdSent,
  columns: {
    request_id_sent: ['uuid', (g) => g.requestIdSent],
    request_id: ['text', (g) => g.requestId],
    status: ['int', (g) => g.status],
    response_bytes: ['bigint', (g) => g.responseBytes],
    error: ['text', (g) => g.error],
    duration_ms: ['double precision', (g) => g.durationMs],
  },
  write: (rows) =>
    `update gateway_requests g set request_id = r.request_id, status = r.status, error = r.error,
       response_bytes = r.response_bytes, duration_ms = r.duration_ms
     from ${rows} r where g.request_id_sent = r.request_id_sent`,
  unfenced: true,
})
