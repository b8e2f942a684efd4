import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import { Failure } from '../core/failure.ts'
import type { PastCall } from '../core/history.ts'
import type { Journal } from '../core/ports/journal.ts'
import type { ToolBox, ToolOutcome } from '../core/ports/toolbox.ts'
import { decideReplay, type OnUnknown } from '../core/rules/repeat.ts'
import type { TurnItem } from '../core/run.ts'
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
import { SAME_ERROR_NOTE, SAME_RESULT_NOTE } from '../core/words/notes.ts'
import { resultId } from '../core/words/results.ts'
import type { ToldResult } from '../models/model.ts'
import { isWait, readEnding, wait } from './builtins.ts'
import type { ConversationState } from './state.ts'
import { withNote } from './turn.ts'

export interface CallOptions {
  tools: ToolBox
  onUnknown: OnUnknown
  toolConcurrency: number
  journal: Journal
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
  let failure: { error: unknown } | undefined
  let writeFailed = false
  const make = async ({ call, position, decided, read }: Planned) => {
    if (failure) return
    const skipped = !decided && !read && writeFailed ? refused(NOT_AFTER_FAILURE) : undefined
    try {
      const outcome = decided ?? skipped ?? (await makeCall(options, turn, position, call, signal))
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
  const results = planned.map(({ call, position, read, unwritten }) => {
    const outcome = outcomes[position] ?? refused('')
    const note = noteCall(options, state, call, outcome, read)
    if (unwritten || outcome.text === NOT_AFTER_FAILURE) told.push(`${call.name}: ${outcome.text}`)
    if (note !== undefined) told.push(note)
    return { callId: call.callId, id: resultId(turn, position), text: withNote(outcome.text, note) }
  })
  // A call that was skipped because of a mistake before it counts as part of that mistake.
  state.loops.endTurn(
    outcomes.some(({ mistake }) => mistake) && outcomes.every(({ mistake, text }) => mistake || text === NOT_AFTER_FAILURE),
  )
  return { results, told }
}

/** Decides for each call, before the first is made, whether it is made. */
function plan(options: CallOptions, calls: readonly Call[], past: readonly PastCall[], state: ConversationState): Planned[] {
  return calls.map((written, position) => {
    const call = { ...written, ...options.tools.resolve(written) }
    const read = isWait(call.name) || call.name === ANSWER.name || readEnding(call) !== undefined || options.tools.isRepeatable(call.name)
    const known = past.find((one) => one.position === position)
    const replayed = known && replay(known, options.onUnknown)
    const allowed = state.takeCall()
    const decided = replayed ?? (allowed ? notMade(call, state) : refused(NO_MORE_CALLS))
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

async function makeCall(options: CallOptions, turn: number, position: number, call: Call, signal: AbortSignal): Promise<ToolOutcome> {
  if (isWait(call.name)) return makeWait(options, turn, position, call, signal)
  return options.tools.call(
    { turn, position, callId: call.callId, name: call.name, arguments: call.arguments, giveUpAt: options.softDeadline },
    signal,
  )
}

/** A wait is journaled like any call, so that a replay does not wait again. */
async function makeWait(
  { journal, softDeadline }: CallOptions,
  turn: number,
  position: number,
  call: Call,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const outcome = await wait(call.arguments, softDeadline, signal)
  const id = randomUUID()
  const { status, text, truncated, failure } = outcome
  await journal.toolCallRefused(
    { id, turn, position, callId: call.callId, server: OWN_SERVER, tool: 'wait', arguments: call.arguments, repeatable: true },
    { id, status, result: { text, truncated }, failure, durationMs: 0 },
  )
  return outcome
}

/** Counts a call. Returns the note that is added to its result, if any. */
function noteCall({ tools }: CallOptions, state: ConversationState, call: Call, outcome: ToolOutcome, read: boolean): string | undefined {
  const { status, truncated, failure, text, mistake } = outcome
  state.calls.push({ server: tools.serverOf(call.name) ?? '', tool: call.name, status, text, truncated, failure })
  const watched = { tool: call.name, arguments: call.arguments }
  if (isWait(call.name)) {
    if (status === 'ok') state.loops.waited()
    return undefined
  }
  if (text === SAME_CALL_REFUSED) state.loops.refused(watched)
  if (status === 'refused' && !mistake) return undefined
  switch (state.loops.note(watched, { text, failed: status !== 'ok', mistake, wrote: !read && status !== 'error' && !mistake })) {
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
