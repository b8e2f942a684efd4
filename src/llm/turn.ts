import { Failure, type FailureRecord } from '../core/failure.ts'
import type { Journal } from '../core/journal.ts'
import { costOf, type Price } from '../core/price.ts'
import type { Reason, ToolCallStatus, TurnItem, Usage } from '../core/run.ts'
import type { ModelTool } from '../core/toolbox.ts'
import type { Exchange, Model, OutputCheck, ParsedOutput, StopReason } from './model.ts'

/** Bounds of a run. Over one of them, the model gets one last turn without tools, and the run is not green. */
export interface Limits {
  turns: number
  toolCalls: number
  tokens: number | undefined
  costUsd: number | undefined
}

/** A turn that an earlier attempt wrote, with what is known of its calls, in their order. */
export interface PastTurn {
  number: number
  items: TurnItem[]
  stopReason: string
  forcedBy: Reason | null
  usage: Usage
  costUsd: number | null
  calls: PastCall[]
}

export interface PastCall {
  position: number
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  result: { text: string; truncated: boolean } | null
  failure: FailureRecord | null
}

/** What both delegates are given. */
export interface DelegateOptions {
  model: Model
  journal: Journal
  instructions: string | undefined
  prompt: string
  /** Undefined when any text will do. */
  output: OutputCheck | undefined
  limits: Limits
  price: Price | undefined
  history: readonly PastTurn[]
  /** Number of the next turn: turns are numbered over all attempts of a run. */
  nextTurn: number
  /** After this time the next turn is the last one: an answer from what there is beats none. */
  softDeadline: Date
}

/** A turn that was taken and written. */
export interface TakenTurn {
  number: number
  items: TurnItem[]
  stopReason: StopReason
  usage: Usage
  costUsd: number | null
}

export interface TurnAsk {
  exchanges: readonly Exchange[]
  number: number
  tools: readonly ModelTool[]
  mayCall: boolean
  /** Why this turn is the last one. */
  forcedBy: Reason | null
}

/** Asks the model for a turn and writes it. */
export async function takeTurn(
  options: DelegateOptions,
  { exchanges, number, tools, mayCall, forcedBy }: TurnAsk,
  signal: AbortSignal,
): Promise<TakenTurn> {
  const { model, journal, instructions, prompt, output, price } = options
  const startedAt = new Date()
  const format = output && { name: output.name, schema: output.schema }
  const turn = await model.respond({ instructions, prompt, exchanges, tools, mayCall, output: format }, signal)
  const costUsd = price ? costOf(turn.usage, price) : null
  await journal.turn({ ...turn, number, forcedBy, costUsd, startedAt, finishedAt: new Date() })
  return { number, items: turn.items, stopReason: turn.stopReason, usage: turn.usage, costUsd }
}

/** A turn from its row. */
export function pastTurn({ number, items, stopReason, usage, costUsd }: PastTurn): TakenTurn {
  return { number, items, stopReason: stopReason === 'cut' || stopReason === 'filtered' ? stopReason : 'end', usage, costUsd }
}

/** The text of an answer. Throws `MODEL_REFUSED` when the model or its filter refused. */
export function answerText({ items, stopReason }: Pick<TakenTurn, 'items' | 'stopReason'>): string {
  const refusal =
    items.find((item) => item.type === 'refusal')?.text ??
    (stopReason === 'filtered' ? 'the provider’s content filter stopped the answer' : undefined)
  if (refusal !== undefined) throw new Failure({ code: 'MODEL_REFUSED', message: `The model refused: ${refusal.slice(0, 300)}` })
  return items.flatMap((item) => (item.type === 'message' ? [item.text] : [])).join('')
}

export function checkOutput({ output }: Pick<DelegateOptions, 'output'>, text: string): ParsedOutput {
  if (text.trim() === '') return { ok: false, why: 'it is empty' }
  return output ? output.parse(text) : { ok: true, value: undefined }
}

export const CUT: Reason = { code: 'RESULT_TOO_LARGE', message: 'The model’s answer was cut at its output limit.' }

/** What the model is told of an answer that cannot be used. */
export const repairReply = (why: string) =>
  `Your answer cannot be used: ${why}. Answer again, with the whole corrected answer and nothing else.`

/** The reason against an answer that was not mended. Throws when there is no answer at all. */
export function unusable(text: string, why: string): Reason {
  if (text.trim() === '')
    throw new Failure({ code: 'OUTPUT_INVALID', message: 'The model gave no answer, and none when it was asked again.' })
  return { code: 'OUTPUT_INVALID', message: `The answer does not match output.schema: ${why}` }
}
