import { estimateSpend, spendOf, type Budget } from '../core/rules/spending/budget.ts'
import type { Limits } from '../core/rules/spending/limits.ts'
import { ungroundedIn, type Ungrounded } from '../core/rules/evidence/grounding.ts'
import type { CallFact, Need } from '../core/rules/outcome.ts'
import { unfinishedProse } from '../core/rules/unfinished.ts'
import { Failure } from '../core/failure.ts'
import type { PastTurn } from '../core/history.ts'
import { isNotRun } from '../core/ports/gateway.ts'
import type { Journal } from '../core/ports/journal.ts'
import { costOf, type Price } from '../core/rules/spending/price.ts'
import { noUsage, type Reason, type TurnItem, type Usage } from '../core/run.ts'
import { joinNotes, lastTurnNote } from '../core/words/notes.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'
import { ANSWER } from '../core/words/endings.ts'
import { EMPTY } from '../core/words/output.ts'
import type { Exchange, Model, ModelRequest, OutputCheck, OutputFormat, ParsedOutput, StopReason } from '../models/model.ts'

/** What both delegates are given. */
export interface DelegateOptions {
  model: Model
  journal: Journal
  instructions: string | undefined
  prompt: string
  /** Undefined when any text will do. */
  output: OutputCheck | undefined
  /** Which calls must be answered well for the answer to count. */
  needed: readonly Need[]
  /** Servers of which a part of a result is enough. */
  partial: readonly string[]
  /** `contract: none`: no tools of ours, and prose that asks or promises is accepted. */
  bare: boolean
  limits: Limits
  price: Price | undefined
  /** Daily ceilings; undefined when there are none. */
  budget: Budget | undefined
  /** Called with warnings for operators, such as a limit that is nearly used up. */
  warn: (message: string) => void
  history: readonly PastTurn[]
  /** Number of the next turn: turns are numbered over all attempts of a run. */
  nextTurn: number
  /** After this time, on the clock of `performance.now()`, the next turn is the last one, so that there is time for an answer. */
  softDeadline: number
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

/** The conversation so far. It only grows at its end, so that prefixes stay in the provider's cache. */
export interface Conversation {
  prompt: string
  exchanges: readonly Exchange[]
}

export interface TurnAsk {
  conversation: Conversation
  number: number
  tools: readonly ModelTool[]
  mayCall: boolean
  /** Why this turn is the last one. */
  forcedBy: Reason | null
  /** What we said since the turn before, as it stands in the conversation already. */
  told: readonly string[]
  /** The note on what is left, when the turn is not the last one. */
  note?: string | undefined
  /** Written with the turn, since notes on time follow from it: a replay says the same. */
  startedAt: Date
}

/** Asks the model for a turn and writes it. Returns the conversation as it was sent, with its note. */
export async function takeTurn(
  options: DelegateOptions,
  { conversation, number, tools, mayCall, forcedBy, told, note, startedAt }: TurnAsk,
  signal: AbortSignal,
): Promise<{ turn: TakenTurn; sent: Conversation }> {
  const { model, journal, instructions, output, price } = options
  const request = (whole: Conversation, isFree: boolean): ModelRequest => ({
    instructions,
    ...whole,
    tools,
    mayCall: isFree,
    mustCall: !isFree && output?.mode === 'tool' && tools.length > 0 ? ANSWER.name : undefined,
    output: formatOf(output, isFree && tools.length > 0),
  })
  const size = () => Buffer.byteLength(JSON.stringify(request(conversation, mayCall)))
  const reserved = await reserve(options, size, conversation.exchanges.length > 0)
  const forced = forcedBy ?? reserved.over ?? null
  const lastNote = forced ? lastTurnNote(forced) : note
  const sent = addNote(conversation, lastNote)
  const turn = await model.respond(request(sent, mayCall && !reserved.over), signal).catch(async (error: unknown) => {
    // A turn that was cut off may have cost all that was taken for it.
    // What is wrong with the model is what counts, also where the ceiling cannot be told: then the estimate stays.
    if (isNotRun(error)) await reserved.charge(noUsage).catch(() => {})
    throw error
  })
  const costUsd = price ? costOf(turn.usage, price) : null
  const words = joinNotes([...told, lastNote]) ?? null
  await journal.turn({ ...turn, number, told: words, forcedBy: forced, costUsd, startedAt, finishedAt: new Date() })
  await reserved.charge(turn.usage)
  return { turn: { number, items: turn.items, stopReason: turn.stopReason, forcedBy: forced, usage: turn.usage, costUsd }, sent }
}

/** The format that a request asks for. None while tools may be called, at servers that then call no tool. */
export function formatOf(output: OutputCheck | undefined, mayCall: boolean): OutputFormat | undefined {
  return output?.mode === 'native' && (output.withTools || !mayCall) ? output.format : undefined
}

/** The conversation with a note at its end: after the last result, after our last reply, or after the prompt. */
export function addNote({ prompt, exchanges }: Conversation, note: string | undefined): Conversation {
  if (note === undefined) return { prompt, exchanges }
  const last = exchanges.at(-1)
  if (!last) return { prompt: withNote(prompt, note), exchanges }
  const result = last.results.at(-1)
  const noted: Exchange =
    last.reply !== undefined || !result
      ? { ...last, reply: withNote(last.reply ?? '', note) }
      : { ...last, results: [...last.results.slice(0, -1), { ...result, text: withNote(result.text, note) }] }
  return { prompt, exchanges: [...exchanges.slice(0, -1), noted] }
}

/** A note stands after a text, on a line of its own. */
export const withNote = (text: string, note: string | undefined): string =>
  note === undefined ? text : text === '' ? note : `${text}\n\n${note}`

export interface Reserved {
  /** The ceiling that this turn passes: it is the last one. */
  over: Reason | undefined
  charge(usage: Usage): Promise<void>
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
  if (!budget) return { over: undefined, async charge() {} }
  const estimate = estimateSpend(requestBytes(), price)
  const over = await budget.reserve(estimate)
  if (over && !hasWork)
    throw new Failure({ code: over.code, message: over.message, cure: 'Raise budgets: in the configuration, or retry the run tomorrow.' })
  return { over, charge: (usage) => budget.charge(over ? { tokens: 0, costUsd: 0 } : estimate, spendOf(usage, price)) }
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
  return items.flatMap((item) => (item.type === 'message' ? [item.text] : [])).join('\n\n')
}

export function checkOutput(
  { output }: Pick<DelegateOptions, 'output'>,
  text: string,
  { stopReason, usage }: Pick<TakenTurn, 'stopReason' | 'usage'>,
): ParsedOutput {
  if (text.trim() === '') return { ok: false, why: EMPTY, told: EMPTY }
  const cut = stopReason === 'cut' ? { limitTokens: usage.outputTokens } : undefined
  return output ? output.parse(text, cut) : { ok: true, value: undefined, mended: [] }
}

/** What prose does instead of ending; an answer with a schema is none, and a job that speaks for itself is taken at its word. */
export const unfinishedIn = (
  { bare, output }: Pick<DelegateOptions, 'bare' | 'output'>,
  text: string,
): ReturnType<typeof unfinishedProse> => (bare || output !== undefined ? undefined : unfinishedProse(text))

/** Values of an answer that the job wants to stand in a result of a tool, and that stand in none. */
export const ungroundedOf = (
  { output }: Pick<DelegateOptions, 'output'>,
  parsed: ParsedOutput,
  calls: readonly Pick<CallFact, 'status' | 'text'>[],
): Ungrounded[] =>
  output && parsed.ok
    ? ungroundedIn(
        parsed.value,
        output.grounded,
        calls.filter(({ status }) => status === 'ok').map(({ text }) => text),
      )
    : []

/** The output of a run, with what was put right in it. */
export const valueOf = (parsed: ParsedOutput): { output: unknown; mended: string[] } =>
  parsed.ok ? { output: parsed.value, mended: parsed.mended } : { output: undefined, mended: [] }

/** An answer that does not fit is kept and is not green; none at all ends the run: `OUTPUT_INVALID`. */
export function requireAnswer(text: string): void {
  if (text.trim() === '')
    throw new Failure({ code: 'OUTPUT_INVALID', message: 'The model gave no answer, and none when it was asked again.' })
}
