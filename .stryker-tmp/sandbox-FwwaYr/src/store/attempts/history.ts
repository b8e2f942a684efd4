// @ts-nocheck
import { query, type Db } from '../postgres/db.ts'
import type { Reason, TurnItem, ToolCallStatus, ToolResult, Usage } from '../../core/run.ts'
import type { FailureRecord } from '../../core/failure.ts'
import type { PastTurn } from '../../core/history.ts'

interface TurnRow {
  number: number
  items: TurnItem[]
  stop_reason: string
  forced_by: Reason | null
  input_tokens: string
  cached_tokens: string
  output_tokens: string
  reasoning_tokens: string
  cost_usd: number | null
}

interface CallRow {
  turn: number
  position: number
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
    `select number, items, stop_reason, forced_by, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd from turns where ${inConversation} order by number`,
    [runId, conversation],
  )
  const calls = await query<CallRow>(
    db,
    `select distinct on (turn, position) turn, position, server, tool, repeatable, status, result, failure
     from tool_calls where ${inConversation} order by turn, position, started_at desc, attempt desc`,
    [runId, conversation],
  )
  return turns.map((turn) => ({
    number: turn.number,
    items: turn.items,
    stopReason: turn.stop_reason,
    forcedBy: turn.forced_by,
    usage: {
      inputTokens: Number(turn.input_tokens),
      cachedTokens: Number(turn.cached_tokens),
      outputTokens: Number(turn.output_tokens),
      reasoningTokens: Number(turn.reasoning_tokens),
    },
    costUsd: turn.cost_usd,
    calls: calls.filter((call) => call.turn === turn.number),
  }))
}

/** A hosted answer that an earlier attempt asked for and did not see the end of. */
export interface OpenResponse {
  turn: number
  /** Null: the provider was asked, and its id never came. */
  responseId: string | null
  background: boolean
}

/** The hosted answer that is still open in this conversation, if any. */
export async function loadOpenResponse(db: Db, runId: string, conversation: number): Promise<OpenResponse | undefined> {
  const [row] = await query<{ turn: number; response_id: string | null; background: boolean }>(
    db,
    `select turn, response_id, background from responses r where run_id = $1 and state <> 'over'
       and attempt in (select number from attempts where run_id = $1 and conversation = $2)
       and not exists (select 1 from turns t where t.run_id = r.run_id and t.number = r.turn)
     order by turn desc limit 1`,
    [runId, conversation],
  )
  return row && { turn: row.turn, responseId: row.response_id, background: row.background }
}

/** The highest turn number of the run so far, over all conversations, hosted answers that never came included. */
export async function lastTurnNumber(db: Db, runId: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select greatest((select max(number) from turns where run_id = $1), (select max(turn) from responses where run_id = $1), 0)::int as n',
    [runId],
  )
  return row?.n ?? 0
}

/** What all turns of a run used, over all its conversations. */
export async function loadSpent(db: Db, runId: string): Promise<{ usage: Usage; costUsd: number | null }> {
  const [row] = await query<{ input: string; cached: string; output: string; reasoning: string; cost: number | null }>(
    db,
    `select coalesce(sum(input_tokens), 0) as input, coalesce(sum(cached_tokens), 0) as cached, coalesce(sum(output_tokens), 0) as output,
       coalesce(sum(reasoning_tokens), 0) as reasoning, sum(cost_usd) as cost from turns where run_id = $1`,
    [runId],
  )
  const usage = {
    inputTokens: Number(row?.input ?? 0),
    cachedTokens: Number(row?.cached ?? 0),
    outputTokens: Number(row?.output ?? 0),
    reasoningTokens: Number(row?.reasoning ?? 0),
  }
  return { usage, costUsd: row?.cost ?? null }
}
