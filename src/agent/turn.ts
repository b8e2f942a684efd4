import { estimateSpend, estimateUsage } from '../core/rules/spending/estimate.ts'
import { greaterSpend, NOTHING, spendOf, timesSpend, type Spend } from '../core/rules/spending/spend.ts'
import type { Budget } from '../core/rules/spending/budget.ts'
import type { Limits } from '../core/rules/spending/limits.ts'
import { answerTexts } from '../core/rules/endings.ts'
import { ungroundedIn, type Ungrounded } from '../core/rules/evidence/grounding.ts'
import { ungroundedAside } from '../core/rules/reading/aside.ts'
import type { CallFact, Need } from '../core/rules/outcome.ts'
import { unfinishedProse } from '../core/rules/unfinished.ts'
import { Failure } from '../core/failure.ts'
import type { ModelSettings } from '../core/models/settings.ts'
import type { PastTurn, PastUnseen } from '../core/history.ts'
import { isNotRun } from '../core/ports/gateway.ts'
import type { Journal } from '../core/ports/journal.ts'
import { chargedAt, hasPriceAt, knownCostOf, tierOf, type Price } from '../core/rules/spending/price.ts'
import type { Reason, TurnItem, TurnPurpose, Usage } from '../core/run.ts'
import { joinNotes, lastTurnNote } from '../core/words/notes.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'
import { notesItem, readTurnContext, type TurnContext } from '../core/rules/context/record.ts'
import type { Window } from '../core/rules/context/window.ts'
import type { InUse } from './relay/relay.ts'
import { ANSWER, OWN_SERVER } from '../core/words/endings.ts'
import { EMPTY } from '../core/words/output.ts'
import { READ_TOOL } from '../core/words/results.ts'
import type {
  Asked,
  Exchange,
  Labels,
  Model,
  ModelRequest,
  ModelTurn,
  OutputCheck,
  OutputFormat,
  ParsedOutput,
  StopReason,
  ToldResult,
} from '../models/model.ts'
import type { Context } from './context/context.ts'
import { requestSize } from './context/size.ts'
import type { Conversation } from './context/view.ts'

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
  /** What requests are for, as their provider may be told. */
  labels: Labels | undefined
  /** How the model is to work. */
  settings: ModelSettings
  /** Of all requests of the job's version. */
  cacheKey: string
  limits: Limits
  /** Of the model that is named first: what is not seen to its end is counted by it. */
  price: Price | undefined
  /** The model that is asked now; after an answer, the one that gave it. */
  inUse: () => InUse
  /** Daily ceilings; undefined when there are none. */
  budget: Budget | undefined
  /** Called with warnings for operators, such as a limit that is nearly used up. */
  warn: (message: string) => void
  /** Called for each answer whose provider does not say what it used. */
  warnNoUsage: () => void
  /** Called for each answer in a tier whose price is not known. */
  warnNoPrice: (of: Pick<InUse, 'provider' | 'name'>, tier: string) => void
  /** What the model reads at once; undefined where it is not known. */
  window: Window | undefined
  history: readonly PastTurn[]
  /** Answers of earlier attempts that were not seen to their end, in their order: they count against the limits. */
  unseen: readonly PastUnseen[]
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
  /** An estimate of what requests for it used whose answers were not seen to their end. */
  unseen?: Usage | undefined
  /** What its provider left out of what was to be read. */
  leftOut?: TurnContext['leftOut']
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
  /** Keeps it within the window of the model. */
  context?: Context | undefined
  /** What it is for beside the work itself. */
  purpose?: TurnPurpose | undefined
  /** Told what requests may have used whose answers were lost, where no turn comes of them. */
  onLost?: (usage: Usage) => void
}

/** What the model is asked, as it is told it. */
export function requestOf(
  options: DelegateOptions,
  { tools, mayCall, context, purpose }: Pick<TurnAsk, 'tools' | 'mayCall' | 'context' | 'purpose'>,
  conversation: Conversation,
): ModelRequest {
  const { instructions, output } = options
  return {
    instructions,
    ...(context ? context.tell(conversation) : conversation),
    tools,
    mayCall,
    // A model that answers at once from what it was trained on would only be asked again.
    needsCall: mayCall && conversation.exchanges.length === 0 && options.needed.length > 0,
    labels: options.labels,
    settings: options.settings,
    cacheKey: options.cacheKey,
    ...(purpose === undefined && {
      mustCall: !mayCall && output?.mode === 'tool' && tools.length > 0 ? ANSWER.name : undefined,
    }),
    output: purpose === undefined ? formatOf(output, mayCall && tools.length > 0) : undefined,
  }
}

/** Asks the model for a turn and writes it. Returns the conversation as it was sent, with its note. */
export async function takeTurn(
  options: DelegateOptions,
  ask: TurnAsk,
  signal: AbortSignal,
): Promise<{ turn: TakenTurn; sent: Conversation }> {
  const { model, journal, inUse } = options
  const { conversation, number, mayCall, context, purpose, startedAt } = ask
  const request = (whole: Conversation, isFree: boolean) => requestOf(options, { ...ask, mayCall: isFree }, whole)
  signal.throwIfAborted()
  const size = () => requestSize(request(conversation, mayCall))
  const reserved = await reserve({ budget: options.budget, price: inUse().price }, size, conversation.exchanges.length > 0)
  const forced = purpose === undefined ? (ask.forcedBy ?? reserved.over ?? null) : null
  const lastNote = forced ? lastTurnNote(forced) : ask.note
  const sent = addNote(conversation, lastNote)
  const asked: Asked = { times: 0, seenBytes: 0 }
  const respond = async (): Promise<ModelTurn> => {
    const one = request(sent, mayCall && !reserved.over)
    try {
      return await model.respond(one, signal, asked)
    } catch (error) {
      if (!isContextFull(error) || !context?.refused(error, one, sent)) throw error
      return respond()
    }
  }
  const turn = await respond().catch(async (error: unknown) => {
    const lost = unseenOf(size, Math.max(asked.times, isNotRun(error) ? 0 : 1), asked.seenBytes)
    // What is wrong with the model is what counts, also where the store cannot be told: then the estimate stays spent.
    await Promise.allSettled([lost && journal.unseenAnswer({ turn: number, usage: lost.usage }), reserved.charge(undefined, lost)])
    if (lost) ask.onLost?.(lost.usage)
    throw error
  })
  const usage = turn.usage ?? estimateUsage(size(), Buffer.byteLength(JSON.stringify(turn.items)))
  if (usage.estimated) options.warnNoUsage()
  const lost = unseenOf(size, asked.times - 1, 0)
  const paid = inUse()
  const tier = tierOf(turn.tier, paid.tier)
  const costUsd = costOfTurn(options, paid, { usage, tier })
  const words = joinNotes([...ask.told, lastNote]) ?? null
  context?.counted(request(sent, mayCall && !reserved.over), usage)
  const summary = purpose === undefined ? undefined : context?.summaryOf(turn.items, conversation)
  const putAside = summary?.context ?? context?.record()
  const items = summary ? [notesItem(summary.notes)] : turn.items
  const row = {
    ...turn,
    items,
    tier,
    usage,
    number,
    told: words,
    forcedBy: forced,
    costUsd,
    startedAt,
    finishedAt: new Date(),
    purpose,
    context: putAside,
  }
  await Promise.all([lost && journal.unseenAnswer({ turn: number, usage: lost.usage }), journal.turn(row)])
  context?.written(putAside, summary?.notes)
  await reserved.charge(usage, lost, chargedAt(paid.price, tier))
  return { turn: { number, items, stopReason: turn.stopReason, forcedBy: forced, usage, costUsd, unseen: lost?.usage }, sent }
}

/** What is known of the cost of a turn; operators are told of a tier whose price is not. */
export function costOfTurn(
  { warnNoPrice }: Pick<DelegateOptions, 'warnNoPrice'>,
  paid: Omit<InUse, 'tier'>,
  { usage, tier }: { usage: Usage; tier: string | undefined },
): number | null {
  if (paid.price && tier !== undefined && !hasPriceAt(paid.price, tier)) warnNoPrice(paid, tier)
  return knownCostOf(usage, paid.price, tier)
}

export const isContextFull = (error: unknown): error is Failure => error instanceof Failure && error.code === 'CONTEXT_FULL'

/** What requests may have used whose answers were not seen to their end; undefined when there were none. */
const unseenOf = (requestBytes: () => number, times: number, seenBytes: number): Unseen | undefined =>
  times > 0 ? { times, usage: estimateUsage(requestBytes() * times, seenBytes) } : undefined

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
      : { ...last, results: [...last.results.slice(0, -1), notedResult(result, note)] }
  return { prompt, exchanges: [...exchanges.slice(0, -1), noted] }
}

const notedResult = (result: ToldResult, note: string): ToldResult => ({
  ...result,
  text: withNote(result.text, note),
  noteFrom: result.noteFrom ?? result.text.length,
})

/** A note stands after a text, on a line of its own. */
export const withNote = (text: string, note: string | undefined): string =>
  note === undefined ? text : text === '' ? note : `${text}\n\n${note}`

/** Requests whose answers were not seen to their end. */
export interface Unseen {
  times: number
  usage: Usage
}

export interface Reserved {
  /** The ceiling that this turn passes: it is the last one. */
  over: Reason | undefined
  /** Replaces what was taken by what was spent. Where that is not known, and for each request whose answer was not seen, at least the estimate stays spent. `paid`: where another model, or another tier, answered. */
  charge(usage: Usage | undefined, unseen?: Unseen, paid?: Price): Promise<void>
}

/** There are no ceilings. */
const UNCOUNTED: Reserved = { over: undefined, async charge() {} }

/**
 * Takes a turn out of the daily ceilings. Over one of them, a run that has work to lose gets one turn to answer; one that has none fails before
 * it spends a token.
 */
export async function reserve(
  { budget, price }: Pick<DelegateOptions, 'budget' | 'price'>,
  requestBytes: () => number,
  hasWork: boolean,
): Promise<Reserved> {
  if (!budget) return UNCOUNTED
  const estimate = estimateSpend(requestBytes(), price)
  const over = await budget.reserve(estimate)
  if (over && !hasWork)
    throw new Failure({ code: over.code, message: over.message, cure: 'Raise budgets: in the configuration, or retry the run tomorrow.' })
  return taken({ budget, price }, estimate, over)
}

/** What was taken by the attempt that asked for an answer which is found again. */
export const takenBefore = ({ budget, price }: Pick<DelegateOptions, 'budget' | 'price'>, requestBytes: () => number): Reserved =>
  budget ? taken({ budget, price }, estimateSpend(requestBytes(), price)) : UNCOUNTED

function taken({ budget, price }: { budget: Budget; price: Price | undefined }, estimate: Spend, over?: Reason): Reserved {
  return {
    over,
    async charge(usage, unseen, paid = price) {
      const known = usage ? spendOf(usage, paid) : NOTHING
      const seen = usage?.estimated ? greaterSpend(estimate, known) : known
      const lost = unseen ? greaterSpend(timesSpend(estimate, unseen.times), spendOf(unseen.usage, price)) : NOTHING
      await budget.charge(over ? NOTHING : estimate, { tokens: seen.tokens + lost.tokens, costUsd: seen.costUsd + lost.costUsd })
    },
  }
}

const STOP_REASONS: readonly StopReason[] = ['end', 'cut', 'filtered', 'stopped']

/** A turn from its row. */
export function pastTurn({ number, items, stopReason, forcedBy, usage, costUsd, context }: PastTurn): TakenTurn {
  const known = STOP_REASONS.find((one) => one === stopReason) ?? 'end'
  const { leftOut } = readTurnContext(context)
  return { number, items, stopReason: known, forcedBy, usage, costUsd, leftOut }
}

/** `MODEL_REFUSED` when the model or its filter refused. */
export function refusalOf({ items, stopReason }: Pick<TakenTurn, 'items' | 'stopReason'>): Failure | undefined {
  const refusal =
    items.find((item) => item.type === 'refusal')?.text ??
    (stopReason === 'filtered' ? 'the provider’s content filter stopped the answer' : undefined)
  return refusal === undefined ? undefined : new Failure({ code: 'MODEL_REFUSED', message: `The model refused: ${refusal.slice(0, 300)}` })
}

/** The text of an answer. Throws `MODEL_REFUSED` when the model or its filter refused. */
export function answerText(turn: Pick<TakenTurn, 'items' | 'stopReason'>): string {
  const { items } = turn
  const refusal = refusalOf(turn)
  if (refusal) throw refusal
  return answerTexts(items).join('\n\n')
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

/**
 * Values of an answer that the job wants to stand in a result of a tool, and that stand in none: neither in what the model was shown, nor in what is kept of it. The latter is
 * read one after the other, and only for what is not found before.
 */
export async function ungroundedOf(
  { output }: Pick<DelegateOptions, 'output'>,
  parsed: ParsedOutput,
  calls: readonly Pick<CallFact, 'tool' | 'status' | 'text'>[],
  kept: () => AsyncIterable<string>,
): Promise<Ungrounded[]> {
  if (!output || !parsed.ok || output.grounded.length === 0) return []
  const shown = calls.filter(({ tool, status }) => status === 'ok' && givesContent(tool)).map(({ text }) => text)
  let ungrounded = ungroundedIn(parsed.value, output.grounded, shown)
  if (ungrounded.length === 0) return []
  // oxlint-disable-next-line waits/bounded -- each is read from the store, which bounds its own answer
  for await (const text of kept()) {
    const missing = await ungroundedAside(parsed.value, output.grounded, text)
    const paths = missing && new Set(missing.map(({ path }) => path))
    if (paths) ungrounded = ungrounded.filter(({ path }) => paths.has(path))
    if (ungrounded.length === 0) return []
  }
  return ungrounded
}

/** What our own tools say is in words of ours, and of the model's: a search names what it was asked for. What they read of a result stands in that result. */
export const givesContent = (tool: string) => tool === READ_TOOL || !tool.startsWith(`${OWN_SERVER}__`)

/** The output of a run, with what was put right in it. */
export const valueOf = (parsed: ParsedOutput): { output: unknown; mended: string[] } =>
  parsed.ok ? { output: parsed.value, mended: parsed.mended } : { output: undefined, mended: [] }

/** An answer that does not fit is kept and is not green; none at all ends the run: `OUTPUT_INVALID`. */
export function requireAnswer(text: string): void {
  if (text.trim() === '')
    throw new Failure({ code: 'OUTPUT_INVALID', message: 'The model gave no answer, and none when it was asked again.' })
}
