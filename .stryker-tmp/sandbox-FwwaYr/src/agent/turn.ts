// @ts-nocheck
import { estimateSpend, spendOf, WARN_SHARE, type Budget } from '../core/rules/budget.ts'
import { Failure } from '../core/failure.ts'
import type { PastTurn } from '../core/history.ts'
import type { Journal } from '../core/ports/journal.ts'
import { costOf, type Price } from '../core/rules/price.ts'
import { noUsage, type Reason, type TurnItem, type Usage } from '../core/run.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'
import type { Exchange, Model, OutputCheck, ParsedOutput, StopReason } from '../models/model.ts'

/** Bounds of a run. Over one of them, the model gets one last turn without tools, and the run is not green. */
export interface Limits {
  turns: number
  toolCalls: number
  tokens: number | undefined
  costUsd: number | undefined
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
  /** Daily ceilings; undefined when there are none. */
  budget: Budget | undefined
  /** Told what an operator may want to know before it is too late. */
  warn: (message: string) => void
  history: readonly PastTurn[]
  /** Number of the next turn: turns are numbered over all attempts of a run. */
  nextTurn: number
  /** After this time the next turn is the last one: an answer from what there is beats none. */
  softDeadline: Date
}

/** A turn that was taken and written. */
export interface TakenTurn {
  number: number
  /** Why it is the last one, if it is. */
  forcedBy: Reason | null
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
  const format = output && { name: output.name, schema: output.schema }
  const request = { instructions, prompt, exchanges, tools, mayCall, output: format }
  const reserved = await reserve(options, () => Buffer.byteLength(JSON.stringify(request)), exchanges.length > 0)
  const forced = forcedBy ?? reserved.over ?? null
  const startedAt = new Date()
  const turn = await model.respond({ ...request, mayCall: mayCall && !reserved.over }, signal).catch(async (error: unknown) => {
    await reserved.settle(noUsage)
    throw error
  })
  const costUsd = price ? costOf(turn.usage, price) : null
  await journal.turn({ ...turn, number, forcedBy: forced, costUsd, startedAt, finishedAt: new Date() })
  await reserved.settle(turn.usage)
  return { number, items: turn.items, stopReason: turn.stopReason, forcedBy: forced, usage: turn.usage, costUsd }
}

export interface Reserved {
  /** The ceiling that this turn passes: it is the last one. */
  over: Reason | undefined
  settle(usage: Usage): Promise<void>
}

/**
 * Takes a turn out of the daily ceilings. Over one of them, a run that has work to lose gets one turn to answer; one that has none fails before
 * it spends a token.
 */
export async function reserve(
  { budget, price }: Pick<DelegateOptions, 'budget' | 'price'>,
  requestBytes: () => number,
  hasWork: boolean,
): Promise<Reserved> {
  if (!budget) return { over: undefined, async settle() {} }
  const estimate = estimateSpend(requestBytes(), price)
  const over = await budget.reserve(estimate)
  if (over && !hasWork)
    throw new Failure({ code: over.code, message: over.message, cure: 'Raise budgets: in the configuration, or retry the run tomorrow.' })
  return { over, settle: (usage) => budget.settle(over ? { tokens: 0, costUsd: 0 } : estimate, spendOf(usage, price)) }
}

/** Says once of each limit when 80 % of it are used. */
export function createLimitWarnings({ limits, warn }: Pick<DelegateOptions, 'limits' | 'warn'>) {
  const warned = new Set<keyof Limits>()
  return (used: Record<keyof Limits, number>) => {
    for (const kind of ['turns', 'toolCalls', 'tokens', 'costUsd'] as const) {
      const limit = limits[kind]
      if (limit === undefined || limit === 0 || warned.has(kind) || used[kind] < limit * WARN_SHARE) continue
      warned.add(kind)
      warn(`More than 80 % of limits.${kind} (${limit}) are used.`)
    }
  }
}

const STOP_REASONS: readonly StopReason[] = ['end', 'cut', 'filtered', 'stopped']

/** A turn from its row. */
export function pastTurn({ number, items, stopReason, forcedBy, usage, costUsd }: PastTurn): TakenTurn {
  const known = STOP_REASONS.find((one) => one === stopReason) ?? 'end'
  return { number, items, stopReason: known, forcedBy, usage, costUsd }
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
