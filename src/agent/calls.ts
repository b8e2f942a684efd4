import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import { Failure } from '../core/failure.ts'
import type { PastCall } from '../core/history.ts'
import { shownBytes, type Window } from '../core/rules/context/window.ts'
import type { Journal } from '../core/ports/journal.ts'
import type { ToolBox, ToolOutcome } from '../core/ports/toolbox.ts'
import { decideReplay, type OnUnknown } from '../core/rules/repeat.ts'
import { resultOf, type TurnItem } from '../core/run.ts'
import {
  NO_MORE_CALLS,
  NOT_AFTER_FAILURE,
  OUTCOME_UNKNOWN,
  SAME_CALL_REFUSED,
  SERVER_BUSY,
  TOOL_REFUSED,
  WRITE_REFUSED,
} from '../core/words/calls.ts'
import { ANSWER, END_ALONE, OWN_SERVER, WAIT_CUT } from '../core/words/endings.ts'
import { joinNotes, restNote, SAME_ERROR_NOTE, SAME_RESULT_NOTE } from '../core/words/notes.ts'
import { identityOf } from '../core/rules/evidence/identity.ts'
import { partialSign } from '../core/rules/evidence/partial.ts'
import { isUnreadable } from '../core/rules/reading/keep.ts'
import { MORE_READS } from '../core/words/reading.ts'
import { resultId } from '../core/words/results.ts'
import type { ToldResult } from '../models/model.ts'
import { isWait, readEnding, wait } from './builtins.ts'
import { isRead, readIdOf, readResult } from './read-result.ts'
import type { ConversationState } from './state.ts'
import { givesContent, withNote } from './turn.ts'

export interface CallOptions {
  tools: ToolBox
  onUnknown: OnUnknown
  toolConcurrency: number
  journal: Journal
  /** Most bytes of a result that are shown, and of a page of one. */
  resultBytes: number
  /** What the model reads at once; undefined where it is not known. */
  window: Window | undefined
  /** No tools of ours: what is shown in part cannot be read. */
  bare: boolean
  /** Servers of which a part of a result is enough. */
  partial: readonly string[]
  /** On the clock of `performance.now()`. */
  softDeadline: number
}

export type Call = Extract<TurnItem, { type: 'tool_call' }>

/** A call with its position and what was decided about it before any call of the turn is made. */
interface Planned {
  call: Call
  position: number
  /** The result that an earlier attempt wrote, or the refusal; undefined when the call is to be made. */
  decided: ToolOutcome | undefined
  /** It is refused before it is written: no row tells of it. */
  unwritten: boolean
  /** Repeatable, or a tool of ours: it may run beside others. */
  read: boolean
}

/**
 * Makes the calls of a turn in the order given: those that may run twice run together, a few at a time; any other runs alone, and when it fails, no other such call of the turn
 * is made. Their results come back in their order, with what we said beside them. The first that must end the attempt ends it when those under way are done.
 */
export async function makeCalls(
  options: CallOptions,
  turn: number,
  calls: readonly Call[],
  past: readonly PastCall[],
  state: ConversationState,
  signal: AbortSignal,
): Promise<{ results: ToldResult[]; told: string[] }> {
  const planned = plan(options, calls, past, state)
  const outcomes: ToolOutcome[] = []
  const limit = pLimit(options.toolConcurrency)
  const shown = ({ name }: Call) => shownBytes(isRead(name) ? 'page' : 'result', options.resultBytes, options.window, calls.length)
  let failure: { error: unknown } | undefined
  let writeFailed = false
  const make = async ({ call, position, decided, read }: Planned) => {
    if (failure) return
    const skipped = !decided && !read && writeFailed ? refused(NOT_AFTER_FAILURE) : undefined
    try {
      const outcome = decided ?? skipped ?? (await makeCall(options, state, { turn, position, call, resultBytes: shown(call) }, signal))
      outcomes[position] = outcome
      if (!read && outcome.status !== 'ok') writeFailed = true
    } catch (error) {
      failure ??= { error }
    }
  }
  for (const group of groups(planned)) {
    await Promise.all(group.map((one) => limit(() => make(one))))
    if (failure) throw failure.error
  }
  const told: string[] = []
  const results: ToldResult[] = []
  for (const { call, position, read, unwritten } of planned) {
    const outcome = outcomes[position] ?? refused('')
    const id = resultId(turn, position)
    const { images, note: leftOut } = await state.results.images(outcome.images ?? [])
    const note = joinNotes([noteCall(options, state, call, outcome, read), noteRest(options, state, call, outcome), leftOut])
    const { text, kept, status } = outcome
    const server = options.tools.serverOf(call.name) ?? ''
    state.results.note({
      id,
      server,
      tool: call.name,
      text,
      kept,
      images: outcome.images ?? [],
      isOk: status === 'ok',
      isContent: givesContent(call.name),
    })
    if (isRead(call.name) && status === 'ok') state.results.noteRead(readIdOf(call.arguments) ?? '')
    if (unwritten || outcome.text === NOT_AFTER_FAILURE) told.push(`${call.name}: ${outcome.text}`)
    if (note !== undefined) told.push(note)
    results.push({
      callId: call.callId,
      id,
      text: withNote(outcome.text, note),
      ...(images.length > 0 && { images }),
      ...(status !== 'ok' && { isError: true }),
    })
  }
  // A call that was skipped because of a mistake before it counts as part of that mistake.
  state.loops.endTurn(
    outcomes.some(({ mistake }) => mistake) && outcomes.every(({ mistake, text }) => mistake || text === NOT_AFTER_FAILURE),
  )
  return { results, told }
}

/** Most reads of results in one turn: they cost no call of a server and do not count for `limits.toolCalls`; the turns of a run bound them. */
const MAX_READS = 50

/** Decides for each call, before the first is made, whether it is made. */
function plan(options: CallOptions, calls: readonly Call[], past: readonly PastCall[], state: ConversationState): Planned[] {
  let reads = 0
  return calls.map((written, position) => {
    const call = { ...written, ...options.tools.resolve(written) }
    const isOwn = isWait(call.name) || isRead(call.name)
    const read = isOwn || call.name === ANSWER.name || readEnding(call) !== undefined || options.tools.isRepeatable(call.name)
    const known = past.find((one) => one.position === position)
    const replayed = known && replay(known, options.onUnknown)
    const denied = isRead(call.name) ? ++reads > MAX_READS && MORE_READS : !state.takeCall() && NO_MORE_CALLS
    const decided = replayed ?? (denied === false ? notMade(call, state) : refused(denied))
    return { call, position, read, decided, unwritten: decided !== undefined && !replayed }
  })
}

/** The refusal of an ending beside other calls, or of a repetition; undefined for a call that is made. */
function notMade(call: Call, state: ConversationState): ToolOutcome | undefined {
  if (call.name === ANSWER.name) return refused(END_ALONE)
  const ending = readEnding(call)
  if (ending) return ending.ok ? refused(END_ALONE) : { ...refused(ending.why), mistake: true }
  switch (state.loops.refusal({ tool: call.name, arguments: call.arguments })) {
    case 'same-call':
      return refused(SAME_CALL_REFUSED)
    case 'same-error':
      return refused(TOOL_REFUSED)
    case undefined:
      return undefined
  }
}

const refused = (text: string): ToolOutcome => ({ status: 'refused', text, truncated: false, failure: null, mistake: false })

/** Neighbours that may run together; each other call is a group of its own. */
function groups(planned: readonly Planned[]): Planned[][] {
  const all: Planned[][] = []
  for (const one of planned) {
    const last = all.at(-1)
    if (one.read && last?.[0]?.read === true) last.push(one)
    else all.push([one])
  }
  return all
}

interface Placed {
  turn: number
  position: number
  call: Call
  /** Most bytes of its result that are shown at once. */
  resultBytes: number
}

async function makeCall(options: CallOptions, state: ConversationState, placed: Placed, signal: AbortSignal): Promise<ToolOutcome> {
  const { turn, position, call, resultBytes } = placed
  if (isWait(call.name)) return writeOwn(options, placed, 'wait', await wait(call.arguments, options.softDeadline, signal))
  if (isRead(call.name)) return writeOwn(options, placed, 'read_result', await readResult(call.arguments, state.results, resultBytes))
  return options.tools.call(
    { turn, position, callId: call.callId, name: call.name, arguments: call.arguments, resultBytes, giveUpAt: options.softDeadline },
    signal,
  )
}

/** A call of a tool of ours is journaled like any other, so that a replay does not wait again, and reads the same. */
async function writeOwn(
  { journal }: CallOptions,
  { turn, position, call }: Placed,
  tool: 'wait' | 'read_result',
  outcome: ToolOutcome,
): Promise<ToolOutcome> {
  const id = randomUUID()
  const { status, failure } = outcome
  await journal.toolCallRefused(
    { id, turn, position, callId: call.callId, server: OWN_SERVER, tool, arguments: call.arguments, repeatable: true },
    { id, status, result: resultOf(outcome), failure, durationMs: 0 },
  )
  return outcome
}

/** Of a result that says that there is more, the first of its tool: a model that reads page by page knows it from then on. */
function noteRest(
  { tools, partial }: CallOptions,
  state: ConversationState,
  call: Call,
  { status, text, kept }: ToolOutcome,
): string | undefined {
  const server = tools.serverOf(call.name)
  if (server === undefined || status !== 'ok' || partial.includes(server) || state.toldRests.has(call.name)) return undefined
  const sign = kept ? kept.rest : partialSign(text)
  if (!sign) return undefined
  state.toldRests.add(call.name)
  return restNote(sign.said)
}

/** Counts a call. Returns the note that is added to its result, if any. */
function noteCall(
  { tools, bare }: CallOptions,
  state: ConversationState,
  call: Call,
  outcome: ToolOutcome,
  read: boolean,
): string | undefined {
  const { status, failure, text, mistake, kept } = outcome
  const truncated = isUnreadable(outcome, !bare)
  state.calls.push({ server: tools.serverOf(call.name) ?? '', tool: call.name, status, text, truncated, kept, failure })
  const watched = { tool: call.name, arguments: call.arguments }
  if (isWait(call.name)) {
    if (status === 'ok') state.loops.waited()
    return undefined
  }
  if (text === SAME_CALL_REFUSED) state.loops.refused(watched)
  if (status === 'refused' && !mistake) return undefined
  switch (
    state.loops.note(watched, {
      identity: identityOf(outcome),
      failed: status !== 'ok',
      mistake,
      wrote: !read && status !== 'error' && !mistake,
    })
  ) {
    case 'same-result':
      return SAME_RESULT_NOTE
    case 'same-error':
      return SAME_ERROR_NOTE
    case undefined:
      return undefined
  }
}

/** Refusals through no fault of the model. */
const NO_MISTAKES = new Set([SERVER_BUSY, WAIT_CUT, WRITE_REFUSED])

/** What an earlier attempt knows of a call. Undefined: it is made (again). */
function replay(past: PastCall, onUnknown: OnUnknown): ToolOutcome | undefined {
  switch (decideReplay(past.status, past.repeatable, onUnknown)) {
    case 'call':
      return undefined
    case 'keep':
      return {
        status: past.status === 'sent' ? 'unknown' : past.status,
        text: past.result?.text ?? '',
        truncated: past.result?.truncated ?? false,
        ...(past.result?.kept && { kept: past.result.kept }),
        ...(past.result?.images && { images: past.result.images }),
        failure: past.failure,
        mistake: past.status === 'refused' && past.failure?.code !== 'REQUEST_TOO_LARGE' && !NO_MISTAKES.has(past.result?.text ?? ''),
      }
    case 'stop':
      throw new Failure({
        code: 'OUTCOME_UNKNOWN',
        message: `The call of ${past.tool} on ${past.server} was under way when an earlier attempt ended: it may have run.`,
        server: past.server,
      })
    case 'tell-model':
      return { status: 'unknown', text: OUTCOME_UNKNOWN, truncated: false, failure: null, mistake: false }
  }
}
