import { query, type Db } from './db.ts'
import type { TurnItem, ToolCallStatus, ToolResult, Usage } from '../core/run.ts'
import type { FailureRecord } from '../core/failure.ts'

/** What an earlier attempt of the same conversation left: the ground an attempt goes on from. */
export interface PastTurn {
  number: number
  items: TurnItem[]
  stopReason: string
  usage: Usage
  costUsd: number | null
  calls: PastCall[]
}

export interface PastCall {
  id: string
  position: number
  callId: string
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  result: ToolResult | null
  failure: FailureRecord | null
}

interface TurnRow {
  number: number
  items: TurnItem[]
  stop_reason: string
  input_tokens: string
  cached_tokens: string
  output_tokens: string
  reasoning_tokens: string
  cost_usd: number | null
}

interface CallRow {
  id: string
  turn: number
  position: number
  call_id: string
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  result: ToolResult | null
  failure: FailureRecord | null
}

/** Turns and their tool calls of the run's earlier attempts in this conversation, oldest first; of a repeated call the last one. */
export async function loadHistory(db: Db, runId: string, conversation: number): Promise<PastTurn[]> {
  const inConversation = 'run_id = $1 and attempt in (select number from attempts where run_id = $1 and conversation = $2)'
  const turns = await query<TurnRow>(
    db,
    `select number, items, stop_reason, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd from turns where ${inConversation} order by number`,
    [runId, conversation],
  )
  const calls = await query<CallRow>(
    db,
    `select distinct on (turn, position) id, turn, position, call_id, server, tool, repeatable, status, result, failure
     from tool_calls where ${inConversation} order by turn, position, started_at desc, attempt desc`,
    [runId, conversation],
  )
  return turns.map((turn) => ({
    number: turn.number,
    items: turn.items,
    stopReason: turn.stop_reason,
    usage: {
      inputTokens: Number(turn.input_tokens),
      cachedTokens: Number(turn.cached_tokens),
      outputTokens: Number(turn.output_tokens),
      reasoningTokens: Number(turn.reasoning_tokens),
    },
    costUsd: turn.cost_usd,
    calls: calls.filter((call) => call.turn === turn.number).map(({ call_id: callId, ...call }) => ({ ...call, callId })),
  }))
}

/** The highest turn number of the run so far, over all conversations. */
export async function lastTurnNumber(db: Db, runId: string): Promise<number> {
  const [row] = await query<{ n: number }>(db, 'select coalesce(max(number), 0)::int as n from turns where run_id = $1', [runId])
  return row?.n ?? 0
}
