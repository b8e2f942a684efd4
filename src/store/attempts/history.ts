import type { FailureRecord } from '../../core/failure.ts'
import type { PromptRecord } from '../../core/ports/journal.ts'
import type { PastTurn, PastUnseen } from '../../core/history.ts'
import type { Usage } from '../../core/run.ts'
import { query, type Db } from '../postgres/db.ts'
import { spentOf, USAGE, withUsage, type UsageRow } from './usage.ts'

type TurnRow = Omit<PastTurn, 'usage' | 'calls'> & UsageRow
type CallRow = PastTurn['calls'][number] & { turn: number; failure: FailureRecord | null }

const IN_CONVERSATION = `run_id = $1
  and attempt in (select number from attempts where run_id = $1 and conversation = $2)`

/** Turns and their tool calls of the run's earlier attempts in this conversation, oldest first; of a repeated call the last one. */
export async function loadHistory(db: Db, runId: string, conversation: number): Promise<PastTurn[]> {
  const turns = await query<TurnRow>(
    db,
    `select number, attempt, provider, model, tier, purpose, context, started_at as "startedAt", finished_at as "finishedAt", items, stop_reason as "stopReason", forced_by as "forcedBy", ${USAGE}, cost_usd as "costUsd", cache_write_tokens as "cacheWriteTokens"
     from turns where ${IN_CONVERSATION} order by number`,
    [runId, conversation],
  )
  const calls = await query<CallRow>(
    db,
    `select distinct on (turn, position) turn, position, call_id as "callId", arguments, server, tool, repeatable, status, result, failure
     from tool_calls where ${IN_CONVERSATION} order by turn, position, started_at desc, attempt desc`,
    [runId, conversation],
  )
  return turns.map((turn) => ({ ...withUsage(turn), calls: calls.filter((call) => call.turn === turn.number) }))
}

/** Answers that earlier attempts of this conversation did not see the end of, in their order. */
export async function loadUnseen(db: Db, runId: string, conversation: number): Promise<PastUnseen[]> {
  const rows = await query<UsageRow & { attempt: number; turn: number }>(
    db,
    `select attempt, turn, input_tokens as "inputTokens", null::bigint as "cachedTokens", output_tokens as "outputTokens", null::bigint as "reasoningTokens"
     from unseen_answers where ${IN_CONVERSATION} order by attempt, turn`,
    [runId, conversation],
  )
  return rows.map(withUsage)
}

/** What the first attempt of the conversation that wrote its texts down asked the model; undefined when none came that far. */
export async function loadTexts(db: Db, runId: string, conversation: number): Promise<PromptRecord | undefined> {
  const [row] = await query<PromptRecord & { prompt: string }>(
    db,
    `select prompt, instructions, contract from attempts
     where run_id = $1 and conversation = $2 and prompt is not null order by number limit 1`,
    [runId, conversation],
  )
  return row
}

/** A hosted answer that an earlier attempt asked for and of which it wrote no turn. */
export interface OpenResponse {
  turn: number
  /** Null: the provider was asked, and its id never came. */
  responseId: string | null
  background: boolean
  /** Its end was seen, or it was stopped. */
  isOver: boolean
  /** Calls that must not run twice may have run in this conversation, in answers without a turn. */
  acted: boolean
}

/** Calls of answers without a turn that may have run, and must not run twice (SQL); as `mayHaveActed` says of one. */
const ACTED = `exists (
  select 1 from tool_calls c join responses p on p.run_id = c.run_id and p.turn = c.turn
  where c.run_id = $1 and p.attempt in (select number from attempts where run_id = $1 and conversation = $2)
    and not c.repeatable and c.status not in ('not_run', 'denied')
    and not exists (select 1 from turns t where t.run_id = c.run_id and t.number = c.turn))`

/** How many calls each hosted answer of this conversation without a turn has that may have run: they count as made, whatever became of their answer. */
export async function loadLostCalls(db: Db, runId: string, conversation: number): Promise<{ turn: number; calls: number }[]> {
  return query<{ turn: number; calls: number }>(
    db,
    `select c.turn, count(*)::int as calls from tool_calls c
     where c.run_id = $1 and c.attempt in (select number from attempts where run_id = $1 and conversation = $2) and c.status not in ('refused', 'not_run')
       and not exists (select 1 from turns t where t.run_id = c.run_id and t.number = c.turn)
     group by c.turn order by c.turn`,
    [runId, conversation],
    'lost calls',
  )
}

/** The hosted answer that is still open in this conversation; without one, the last that is over without a turn and did what must not be done twice. */
export async function loadOpenResponse(db: Db, runId: string, conversation: number): Promise<OpenResponse | undefined> {
  const [response] = await query<OpenResponse & { turn: number }>(
    db,
    `select turn, response_id as "responseId", background, state = 'over' as "isOver", ${ACTED} as acted from responses r
     where ${IN_CONVERSATION} and (state <> 'over' or ${ACTED})
       and not exists (select 1 from turns t where t.run_id = r.run_id and t.number = r.turn)
     order by state = 'over', turn desc limit 1`,
    [runId, conversation],
  )
  return response
}

/** The highest turn number of the run so far, over all conversations, hosted answers that never came included. */
export async function lastTurnNumber(db: Db, runId: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    `select greatest(
       (select max(number) from turns where run_id = $1),
       (select max(turn) from responses where run_id = $1), 0)::int as n`,
    [runId],
  )
  return row?.n ?? 0
}

/** What all turns of a run used, over all its conversations, with answers that were not seen to their end. */
export async function loadSpent(db: Db, runId: string): Promise<{ usage: Usage; costUsd: number | null }> {
  const [row] = await query<UsageRow & { costUsd: number | null }>(
    db,
    `select ${USAGE}, cost_usd as "costUsd", estimated from (${spentOf('$1')}) spent`,
    [runId],
  )
  if (!row) throw new Error('a sum is always one row')
  return withUsage(row)
}

/** The last text that the model said in a conversation, interim texts included; undefined when it said none. */
export async function loadLastText(db: Db, runId: string, conversation: number): Promise<string | undefined> {
  const turns = await loadHistory(db, runId, conversation)
  return turns
    .map(({ items }) => items.flatMap((item) => (item.type === 'message' ? [item.text] : [])).join('\n\n'))
    .findLast((text) => text.trim() !== '')
}
