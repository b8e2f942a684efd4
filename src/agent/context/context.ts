import { Failure } from '../../core/failure.ts'
import { decideCut, isFull, summedBy, type Fill } from '../../core/rules/context/cut.ts'
import { notesIn, type TurnContext } from '../../core/rules/context/record.ts'
import { saidSize } from '../../core/rules/context/said.ts'
import {
  believedTokens,
  densityOf,
  estimateTokens,
  leastTokens,
  roomOf,
  type Counted,
  type Window,
} from '../../core/rules/context/window.ts'
import type { TurnItem, Usage } from '../../core/run.ts'
import { noNotes } from '../../core/words/window/aside.ts'
import { cutBytes } from '../../lib/text.ts'
import type { ModelRequest } from '../../models/model.ts'
import { contextFull } from './full.ts'
import { exchangeSize, hasImages, requestSize, resultSize } from './size.ts'
import { createView, type Conversation } from './view.ts'

export interface ContextOptions {
  /** Of the model; undefined where it is not known: then nothing is put aside before the provider refuses. */
  window: Window | undefined
  /** Most tokens of an answer, as the job says. */
  maxOutputTokens: number | undefined
  /** The tool that reads a result again; undefined where the model has none. */
  reader: string | undefined
}

export type Context = ReturnType<typeof createContext>

const TOO_LONG_AT_FIRST = new Failure({ code: 'CONTEXT_FULL', message: 'What the model is to read first does not fit its window.' })

/** Most of the room that a model's notes may take, and bytes that they may have in any case. */
const NOTES_SHARE = 0.25
const LEAST_NOTES = 2000
/** Most results that are named where it wrote none. */
const MAX_NAMED = 50

/**
 * Keeps a conversation within the window of its model. What is put aside before a turn is written with the turn; a replay puts aside just that, so that it sends the same bytes.
 */
export function createContext({ window, maxOutputTokens, reader }: ContextOptions) {
  const view = createView(reader)
  let known = window
  let first: Counted | undefined
  let last: Counted | undefined
  /** Since the turn before. */
  let record: TurnContext = {}
  /** For the turn that is asked for: whether it was cut after a refusal, and whether it was summed up before. */
  let isCut = false
  let isSummed = false

  const room = (): number => (known ? roomOf(known, maxOutputTokens) : Number.POSITIVE_INFINITY)
  const estimate = (bytes: number) => estimateTokens(bytes, first, last)

  function putAside(ids: readonly string[]): void {
    if (ids.length === 0) return
    record = { ...record, aside: [...(record.aside ?? []), ...ids] }
    view.apply({ aside: [...ids] })
  }

  /** How many exchanges notes would stand for, from the first on. */
  const toSum = ({ exchanges }: Conversation): number => {
    const rest = exchanges.slice(view.summed()).map((one) => exchangeSize(view.tellExchange(one)))
    return view.summed() + summedBy(rest, { room: room(), density: densityOf(first, last) })
  }

  /** The beginning of a conversation that notes are to stand for; undefined where there is none, or notes were just written. What is asked for them was sent before, so that it fits. */
  function begunOf(conversation: Conversation): Conversation | undefined {
    const of = isSummed ? 0 : toSum(conversation)
    return of > view.summed() ? { ...conversation, exchanges: conversation.exchanges.slice(0, of) } : undefined
  }

  function fillOf(bytes: number, conversation: Conversation, isLast: boolean): Fill {
    const { exchanges } = conversation
    const withCalls = exchanges.findLastIndex(({ results }) => results.some(({ id }) => id !== undefined))
    const from = view.summed()
    const shown = (begin: number, end: number) =>
      exchanges
        .slice(begin, end)
        .flatMap((one) => view.shownIn(one).map(({ id, result, stub }) => ({ id, frees: resultSize(result) - resultSize(stub) })))
    const upTo = toSum(conversation)
    const summed = [...exchanges.slice(from, upTo).map(view.tellExchange), ...(upTo > from ? view.notes() : [])]
    return {
      room: room(),
      tokens: estimate(bytes),
      density: densityOf(first, last),
      old: shown(from, Math.max(from, withCalls)),
      fresh: shown(Math.max(from, withCalls), exchanges.length),
      summable: summed.reduce((sum, one) => sum + exchangeSize(one), 0),
      isLast,
    }
  }

  /** What the provider says of its window stands for the rest of the run; where it says nothing, what it refused is more than it reads. */
  function learn(message: string, bytes: number): void {
    const { limit, asked = 0 } = saidSize(message)
    if (limit !== undefined || known === undefined) {
      known = { ...known, tokens: limit ?? estimate(bytes) }
      record = { ...record, window: known.tokens }
    }
    last = { bytes, tokens: Math.max(estimate(bytes), asked, Math.ceil(room())) }
  }

  return {
    /** The conversation as the model is told it. */
    tell: (conversation: Conversation): Conversation => view.tell(conversation),
    /** Puts aside what was put aside before a turn of an earlier attempt. */
    replay(context: TurnContext, items: readonly TurnItem[]): void {
      view.apply(context, notesIn(items))
      isSummed = context.summary !== undefined
      if (context.window !== undefined) known = { ...known, tokens: context.window }
    },
    /** A request that was answered. */
    counted(request: ModelRequest, usage: Usage): void {
      if (usage.estimated) return
      const bytes = requestSize(request)
      last = { bytes, tokens: hasImages(request) ? usage.inputTokens : believedTokens(bytes, usage.inputTokens) }
      first ??= last
    },
    /** Puts aside what does not fit before a turn is asked for. Returns the beginning of the conversation where notes on it are to be asked for first. Throws for a prompt that alone does not fit. */
    prepare(request: ModelRequest, conversation: Conversation, isLast: boolean): Conversation | undefined {
      if (!known) return undefined
      const bytes = requestSize(request)
      const tokens = leastTokens(bytes)
      if (conversation.exchanges.length === 0 && tokens > known.tokens)
        throw contextFull(TOO_LONG_AT_FIRST, { request, tokens, window: known.tokens })
      // As most turns are: what each result would free is not looked at then.
      if (!isFull({ room: room(), tokens: estimate(bytes) })) return undefined
      const cut = decideCut(fillOf(bytes, conversation, isLast))
      putAside(cut.aside)
      return cut.summary ? begunOf(conversation) : undefined
    },
    /** The provider refused a request as too long: whether it is asked again with less, once for each turn. */
    refused(failure: Failure, request: ModelRequest, conversation: Conversation): boolean {
      const bytes = requestSize(request)
      learn(failure.message, bytes)
      if (isCut) return false
      isCut = true
      const { aside } = decideCut(fillOf(bytes, conversation, true))
      putAside(aside)
      return aside.length > 0
    },
    toSum: begunOf,
    /** Notes on the beginning of a conversation, for their row. */
    summaryOf(items: readonly TurnItem[], begun: Conversation): { context: TurnContext; notes: string } {
      const said = items.flatMap((item) => (item.type === 'message' ? [item.text] : [])).join('\n\n')
      const most = Math.floor((Math.min(room(), last?.tokens ?? LEAST_NOTES) * NOTES_SHARE) / densityOf(first, last))
      const notes = said.trim() === '' ? listed(begun) : cutBytes(said, Math.max(LEAST_NOTES, most)).text
      return { notes, context: { ...record, summary: { of: begun.exchanges.length } } }
    },
    /** What was put aside since the turn before, for the row of the turn. */
    record: (): TurnContext | undefined => (Object.keys(record).length === 0 ? undefined : record),
    /** The turn is written. */
    written(context: TurnContext | undefined, notes: string | undefined): void {
      const isSummary = context?.summary !== undefined
      if (isSummary) view.apply({ summary: context.summary }, notes)
      record = {}
      isSummed = isSummary
      if (!isSummary) isCut = false
    },
    /** Why a run ends whose conversation does not fit, with its figures. */
    full: (failure: Failure, request: ModelRequest): Failure =>
      contextFull(failure, { request, tokens: estimate(requestSize(request)), window: known?.tokens }),
  }
}

function listed({ exchanges }: Conversation): string {
  const results = exchanges.flatMap(({ items, results: told }) =>
    told.flatMap(({ id, callId }) => {
      const call = items.find((item) => item.type === 'tool_call' && item.callId === callId)
      return id === undefined || call?.type !== 'tool_call' ? [] : [{ id, tool: call.name }]
    }),
  )
  return noNotes(results.slice(-MAX_NAMED), Math.max(0, results.length - MAX_NAMED))
}
