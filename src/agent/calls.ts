import pLimit from 'p-limit'
import { Failure } from '../core/failure.ts'
import type { PastCall } from '../core/history.ts'
import type { ToolBox, ToolOutcome } from '../core/ports/toolbox.ts'
import { decideReplay, type OnUnknown } from '../core/rules/repeat.ts'
import type { TurnItem } from '../core/run.ts'
import type { ConversationState } from './state.ts'

export interface CallOptions {
  tools: ToolBox
  onUnknown: OnUnknown
  toolConcurrency: number
}

type Call = Extract<TurnItem, { type: 'tool_call' }>

/** Makes the calls of a turn, a few at a time; their results come back in their order. The first that must end the attempt ends it when those under way are done. */
export async function makeCalls(
  options: CallOptions,
  turn: number,
  calls: readonly Call[],
  past: readonly PastCall[],
  state: ConversationState,
  signal: AbortSignal,
): Promise<{ callId: string; text: string }[]> {
  // First of all: a turn that is bound to stop makes no other call.
  const known = calls.map((_, position) => {
    const one = past.find((call) => call.position === position)
    return one && replay(one, options.onUnknown)
  })
  const limit = pLimit(options.toolConcurrency)
  let failure: { error: unknown } | undefined
  const outcomes = await Promise.all(
    calls.map((call, position) =>
      limit(async () => {
        if (failure) return undefined
        try {
          return await makeCall(options, turn, position, call, known[position], state, signal)
        } catch (error) {
          failure ??= { error }
          return undefined
        }
      }),
    ),
  )
  if (failure) throw failure.error
  return calls.map((call, position) => {
    const outcome = outcomes[position]
    if (outcome) {
      const { status, truncated, failure: why } = outcome
      state.noteCall(call.arguments, outcome.mistake, { tool: call.name, status, truncated, failure: why })
    }
    return { callId: call.callId, text: outcome?.text ?? '' }
  })
}

async function makeCall(
  options: CallOptions,
  turn: number,
  position: number,
  call: Call,
  known: ToolOutcome | undefined,
  state: ConversationState,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const allowed = state.takeCall()
  if (known) return known
  if (!allowed)
    return {
      status: 'refused',
      text: 'Error: this run may make no more tool calls. Answer with what you have.',
      truncated: false,
      failure: null,
      mistake: false,
    }
  return options.tools.call({ turn, position, callId: call.callId, name: call.name, arguments: call.arguments }, signal)
}

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
        mistake: past.status === 'refused' && past.failure?.code !== 'REQUEST_TOO_LARGE',
      }
    case 'stop':
      throw new Failure({
        code: 'OUTCOME_UNKNOWN',
        message: `The call of ${past.tool} on ${past.server} was under way when an earlier attempt ended: it may have run.`,
        server: past.server,
      })
    case 'tell-model':
      return {
        status: 'unknown',
        text: 'Error: the call was sent and its outcome is not known: it may have run. Do not repeat it.',
        truncated: false,
        failure: null,
        mistake: false,
      }
  }
}
