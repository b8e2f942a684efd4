import { Failure } from '../../core/failure.ts'
import { isNotRun } from '../../core/ports/gateway.ts'
import type { TurnRecord } from '../../core/ports/journal.ts'
import type { TurnContext } from '../../core/rules/context/record.ts'
import { leftOut } from '../../core/rules/context/window.ts'
import { DEADLINE_NEAR } from '../../core/rules/last-turn.ts'
import { estimateUsage } from '../../core/rules/spending/estimate.ts'
import { spendOf } from '../../core/rules/spending/spend.ts'
import { passedLimits } from '../../core/rules/spending/limits.ts'
import { isUnreadable } from '../../core/rules/reading/keep.ts'
import { reasonsAgainst } from '../../core/rules/outcome.ts'
import { MAX_REPAIRS } from '../../core/rules/output.ts'
import { openEnvelope } from '../../core/rules/endings.ts'
import { chargedAt, knownCostOf, tierOf } from '../../core/rules/spending/price.ts'
import { addUsage, noUsage, reasonOf, type Reason, type Usage } from '../../core/run.ts'
import type { Conversation } from '../context/view.ts'
import { finalAnswer } from './attach.ts'
import { callsLeft, hostedRequest, type HostedOptions, type KnownCall } from './options.ts'
import { createReader, Stopped, type Reader } from './reader.ts'
import { deadlineSignal } from '../../lib/time/deadline.ts'
import type { HostedAnswer } from '../../models/hosted.ts'
import type { Asked, DelegateResult, Exchange, ParsedOutput } from '../../models/model.ts'
import { lastTurnNote } from '../../core/words/notes.ts'
import { ungroundedText } from '../../core/words/output.ts'
import { repairReply } from '../../core/words/replies.ts'
import { OUTCOME_UNKNOWN } from '../../core/words/calls.ts'
import { errorText, okText } from '../../core/words/results.ts'
import {
  addNote,
  answerText,
  checkOutput,
  costOfTurn,
  pastTurn,
  refusalOf,
  requireAnswer,
  reserve,
  takenBefore,
  takeTurn,
  unfinishedIn,
  ungroundedOf,
  valueOf,
  type Reserved,
  type TakenTurn,
} from '../turn.ts'

/** Lets the provider work through the servers, and writes what it does as if we had done it. */
export async function runHosted(options: HostedOptions, signal: AbortSignal): Promise<DelegateResult> {
  const calls: KnownCall[] = options.history.flatMap((past) =>
    past.calls.map((call) => {
      const { text = '', truncated = false, kept } = call.result ?? {}
      return { ...call, text, truncated: isUnreadable({ truncated, kept }, true), kept }
    }),
  )
  const turns = options.history.map(pastTurn)
  if (turns.length === 0) turns.push(await hostedTurn(options, calls, signal))
  for (;;) {
    const turn = turns.at(-1)
    if (!turn) throw new Error('a conversation has a turn')
    const refusal = refusalOf(turn)
    if (refusal && hasText(turns)) return result(options, turns, calls, refusal)
    const next = await nextAsk(options, turns, calls)
    if (!next) return result(options, turns, calls)
    const { conversation, forcedBy } = next
    const { reply } = conversation.exchanges.at(-1) ?? {}
    const number = Math.max(options.nextTurn, turn.number + 1)
    const told = reply === undefined ? [] : [reply]
    const ask = { conversation, number, tools: [], mayCall: false, forcedBy, told, startedAt: new Date() }
    try {
      turns.push((await takeTurn(options, ask, signal)).turn)
    } catch (error) {
      if (!isOfModel(error) || !hasText(turns) || (error.retry !== 'never' && !options.isLastTry)) throw error
      return result(options, turns, calls, error)
    }
  }
}

/** Some answer has a text, which is not lost because a better one could not be had. */
const hasText = (turns: readonly TakenTurn[]) => answersOf(turns).some((turn) => !refusalOf(turn) && answerText(turn).trim() !== '')

const isOfModel = (error: unknown): error is Failure =>
  error instanceof Failure && (error.code.startsWith('MODEL_') || error.code === 'CONTEXT_FULL')

/** What is still to be asked: an answer after a stop, or once more for one that can be used. */
async function nextAsk(
  options: HostedOptions,
  turns: readonly TakenTurn[],
  calls: readonly KnownCall[],
): Promise<{ conversation: Conversation; forcedBy: Reason | null } | undefined> {
  const turn = turns.at(-1)
  if (!turn) return undefined
  const made: Conversation = { prompt: options.prompt, exchanges: named(calls).length === 0 ? [] : [madeCalls(options, calls)] }
  const { forcedBy } = turn
  if (turn.stopReason === 'stopped') return { conversation: made, forcedBy }
  const text = answerText(turn)
  const parsed = checkOutput(options, text, turn)
  const ungrounded = await ungroundedOf(options, parsed, calls, () => keptOf(options, calls))
  if (answersOf(turns).length > MAX_REPAIRS.hosted || endingIn(options, text)) return undefined
  if (parsed.ok && ungrounded.length === 0) return undefined
  const reply = repairReply(parsed.ok ? ungroundedText(ungrounded) : parsed.told)
  // What was said before the answer stays, so that the conversation only grows at its end.
  const asked = addNote(made, forcedBy ? lastTurnNote(forcedBy) : undefined)
  return { conversation: { ...asked, exchanges: [...asked.exchanges, { items: turn.items, results: [], reply }] }, forcedBy }
}

/** The turns that are answers: one that was stopped is none, and what it was stopped for holds for those after it. */
const answersOf = (turns: readonly TakenTurn[]) => turns.filter(({ stopReason }) => stopReason !== 'stopped')

/** The provider's calls with their results, as calls and results of a turn, so that foreign text does not appear as words of ours. */
const madeCalls = ({ nameOf }: HostedOptions, calls: readonly KnownCall[]): Exchange => ({
  items: named(calls).map(({ callId, server, tool, arguments: args }) => ({
    type: 'tool_call',
    callId,
    name: nameOf(server, tool),
    arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
  })),
  results: named(calls).map((call) => ({ callId: call.callId, text: toldOf(call), ...(call.status !== 'ok' && { isError: true }) })),
})

/** Calls of which the provider said which they are: of others there is nothing to tell. */
const named = (calls: readonly KnownCall[]) => calls.filter(({ tool }) => tool !== '')

function toldOf({ status, text }: KnownCall): string {
  if (status === 'ok') return okText(text)
  return status === 'unknown' || status === 'sent' ? OUTCOME_UNKNOWN : errorText(text)
}

/** A hosted run has no tools of ours: an ending stands in its answer. */
const endingIn = ({ bare }: HostedOptions, text: string) => (bare ? undefined : openEnvelope(text)?.ending)

/** The whole of results that do not stand in their rows, one after the other. */
async function* keptOf({ journal }: HostedOptions, calls: readonly KnownCall[]): AsyncGenerator<string> {
  for (const { kept, status } of calls) {
    const content = kept && status === 'ok' ? await journal.readContent(kept.digest) : undefined
    if (content) yield content.toString()
  }
}

/** `failed`: why the model could not be asked for a better answer, or gave none. */
async function result(
  options: HostedOptions,
  turns: readonly TakenTurn[],
  calls: readonly KnownCall[],
  failed?: Failure,
): Promise<DelegateResult> {
  const heard = failed ? turns.filter((turn) => !refusalOf(turn)) : turns
  const last = heard.at(-1)
  const texts = answersOf(heard).map(answerText)
  const said = texts.at(-1) ?? ''
  const ending = endingIn(options, said)
  const parsed: ParsedOutput = ending || !last ? { ok: true, value: undefined, mended: [] } : checkOutput(options, said, last)
  // Without an answer the last text of the model stands; the run is not green.
  const text = ending ? (ending.kind === 'incomplete' ? (ending.draft ?? '') : '') : (texts.findLast((one) => one.trim() !== '') ?? '')
  const usage = [...turns, ...options.unseen].reduce((sum, one) => addUsage(sum, one.usage), noUsage)
  const known = turns.flatMap((one) => one.costUsd ?? [])
  const costUsd = known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0)
  // A limit is kept by an estimate where the cost is not known.
  const spentUsd = [...turns, ...options.unseen.map((one) => ({ ...one, costUsd: null }))].reduce(
    (sum, one) => sum + (one.costUsd ?? spendOf(one.usage, options.price).costUsd),
    0,
  )
  // A last turn ends the run with whatever it gave. Any other run without usable text fails.
  if (!parsed.ok && last?.forcedBy === null) requireAnswer(text)
  const reasons = reasonsAgainst({
    forcedBy: turns.flatMap(({ forcedBy }) => (forcedBy ? [forcedBy] : [])),
    passed: passedLimits({ turns: 0, toolCalls: 0, tokens: usage.inputTokens + usage.outputTokens, costUsd: spentUsd }, options.limits),
    calls,
    cut: last?.stopReason === 'cut',
    misfit: parsed.ok ? undefined : parsed.why,
    needed: options.needed,
    partial: options.partial,
    leftOut: turns.flatMap((turn) => turn.leftOut ?? []),
    ungrounded: ending ? [] : await ungroundedOf(options, parsed, calls, () => keptOf(options, calls)),
    unfinished: ending ? undefined : unfinishedIn(options, text),
    ending,
  })
  if (failed) reasons.push(reasonOf(failed.toJSON()))
  return { text: text === '' ? null : text, ...valueOf(parsed), reasons, ending, usage, costUsd }
}

/** One hosted answer, new or found again, from its first event to its row. */
async function hostedTurn(options: HostedOptions, calls: KnownCall[], signal: AbortSignal): Promise<TakenTurn> {
  const { journal, open, price, limits } = options
  const attachTo = open?.background === true && !open.isOver && open.responseId !== null ? open.responseId : undefined
  const number = open && attachTo !== undefined ? open.turn : options.nextTurn
  const reader = createReader(options, calls, number)
  if (open && attachTo === undefined) await giveUp(options, open, reader)
  using own = deadlineSignal(signal, options.softDeadline - performance.now(), () => new Stopped(DEADLINE_NEAR))
  const startedAt = new Date()
  const size = () => Buffer.byteLength(JSON.stringify(hostedRequest(options, number)))
  if (attachTo === undefined && limits.toolCalls > 0 && callsLeft(options, number) === 0) {
    // Answers that were lost made all the calls that the job allows.
    const forcedBy: Reason = {
      code: 'BUDGET_TOOL_CALLS',
      message: `All ${limits.toolCalls} tool calls were used, in answers that were lost.`,
    }
    return stoppedTurn(options, { number, forcedBy, usage: noUsage }, { responseId: null, providerRequestId: null, startedAt })
  }
  let taken: Reserved | undefined
  const asked: Asked = { times: 0, seenBytes: 0 }
  /** Nobody will say what it used. */
  const lose = async (failure: unknown) => {
    if (!taken) return
    const lost = isNotRun(failure) ? undefined : { times: 1, usage: reader.usage ?? seenUsage(size(), calls, asked.seenBytes) }
    await Promise.allSettled([lost && journal.unseenAnswer({ turn: number, usage: lost.usage }), taken.charge(undefined, lost)])
  }
  try {
    // An answer that is found again was reserved when it was asked for.
    taken = attachTo === undefined ? await reserve(options, size, false) : takenBefore(options, size)
    const answer = await finalAnswer(options, { reader, number, attachTo, asked }, own)
    await reader.finish(answer)
    const { items, stopReason, usage: told, responseId, providerRequestId, model, tier: said } = answer.turn()
    const usage = told ?? seenUsage(size(), calls, Math.max(asked.seenBytes, Buffer.byteLength(JSON.stringify(items))))
    if (usage.estimated) options.warnNoUsage()
    const tier = tierOf(said, options.settings.tier)
    const costUsd = costOfTurn(options, options.inUse(), { usage, tier })
    const forcedBy = reader.limitReason() ?? null
    const context = putAside(options, answer, calls, usage)
    await journal.turn({
      number,
      told: null,
      items,
      stopReason,
      forcedBy,
      responseId,
      providerRequestId,
      provider: options.inUse().provider,
      model,
      tier,
      usage,
      costUsd,
      startedAt,
      finishedAt: new Date(),
      context,
    })
    await taken.charge(usage, undefined, chargedAt(price, tier))
    return { number, items, stopReason, forcedBy, usage, costUsd, leftOut: context?.leftOut }
  } catch (error) {
    if (!own.signal.aborted) {
      const failure = await reader.classifyError(error)
      // A background answer may be found again, with its usage.
      if (!reader.canAttach()) await lose(failure)
      throw failure
    }
    const reason: unknown = own.signal.reason
    // A worker that only stops leaves a background answer to the next one. Any other end is the answer's end too.
    if (reason instanceof Failure && reason.code === 'WORKER_LOST') {
      await reader.leave()
      throw reason
    }
    const known = await reader.stop(own)
    if (!(reason instanceof Stopped)) {
      await lose(reason)
      throw reason
    }
    const usage = known ?? seenUsage(size(), calls, asked.seenBytes)
    const { responseId = null, requestId: providerRequestId } = reader
    const turn = { number, forcedBy: reader.reasonOf(reason), usage }
    const stopped = await stoppedTurn(options, turn, { responseId, providerRequestId, startedAt })
    await taken?.charge(usage)
    return stopped
  }
}

/** Writes that an answer was stopped, so that a later attempt knows what was done and asks for no more than an answer. */
async function stoppedTurn(
  { journal, hosted, price, inUse }: HostedOptions,
  { number, forcedBy, usage }: Pick<TakenTurn, 'number' | 'forcedBy' | 'usage'>,
  asked: Pick<TurnRecord, 'responseId' | 'providerRequestId' | 'startedAt'>,
): Promise<TakenTurn> {
  const costUsd = knownCostOf(usage, price)
  const stopped: TakenTurn = { number, items: [], stopReason: 'stopped', forcedBy, usage, costUsd }
  await journal.turn({ ...stopped, ...asked, told: null, provider: inUse().provider, model: hosted.model, finishedAt: new Date() })
  return stopped
}

/** What a provider did with what does not fit, as far as it says: compacted it, or perhaps left it out. */
function putAside(
  { prompt, window }: HostedOptions,
  { compacted = 0, mayLeaveOut = false }: HostedAnswer,
  calls: readonly KnownCall[],
  usage: Usage,
): TurnContext | undefined {
  const read = calls.reduce((sum, { kept, text }) => sum + (kept?.bytes ?? Buffer.byteLength(text)), Buffer.byteLength(prompt))
  const fits = window?.tokens ?? (usage.estimated ? undefined : usage.inputTokens)
  const left = mayLeaveOut && compacted === 0 ? leftOut(read, fits) : undefined
  return compacted > 0 || left ? { ...(compacted > 0 && { compacted }), ...(left && { leftOut: left }) } : undefined
}

/** What an answer used at least, where nobody says so: its calls are words of the model, and their results are read by it. */
function seenUsage(requestBytes: number, calls: readonly KnownCall[], saidBytes: number): Usage {
  const results = calls.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const spoken = calls.reduce((sum, call) => sum + Buffer.byteLength(JSON.stringify(call.arguments)), 0)
  // What is said of a call may have been seen as it was said.
  return estimateUsage(requestBytes + results, Math.max(saidBytes, spoken))
}

/** An answer that an earlier attempt asked for and that cannot be found again. */
async function giveUp(
  { journal }: HostedOptions,
  { turn, acted }: NonNullable<HostedOptions['open']>,
  { mayRepeat }: Reader,
): Promise<void> {
  const message = 'The provider was at work when an earlier attempt ended: '
  const lost = new Failure({ code: 'OUTCOME_UNKNOWN', message: `${message}this call may have run.` })
  await journal.lostCalls({ turn, failure: lost.toJSON() })
  if (!mayRepeat || acted) throw new Failure({ code: 'OUTCOME_UNKNOWN', message: `${message}tools that are not repeatable may have run.` })
  await journal.responseState({ turn, responseId: null, state: 'over' })
}
