// @ts-nocheck
import { Failure, type FailureCode } from '../core/failure.ts'
import type { PastCall } from '../core/history.ts'
import { addUsage, noUsage, type Reason, type TurnItem, type Usage } from '../core/run.ts'
import type { ToolBox, ToolOutcome } from '../core/ports/toolbox.ts'
import type { DelegateResult, Exchange } from '../models/model.ts'
import {
  answerText,
  checkOutput,
  createLimitWarnings,
  CUT,
  pastTurn,
  repairReply,
  takeTurn,
  unusable,
  type DelegateOptions,
} from './turn.ts'

export interface LocalOptions extends DelegateOptions {
  tools: ToolBox
  onUnknown: 'stop' | 'tell-model'
  toolConcurrency: number
}

const SAME_CALL_LIMIT = 3
const MISTAKES_IN_A_ROW = 5
const CUT_IN_CALL = { ok: false, why: 'it was cut off in a call of a tool, which was not made' } as const

/** Runs the conversation: replays what earlier attempts wrote, then goes on. Each turn is written before its tools run. */
export async function runLocal(options: LocalOptions, signal: AbortSignal): Promise<DelegateResult> {
  const state = createState(options)
  let exchanges: readonly Exchange[] = []
  let repaired = false
  let turnNumber = options.nextTurn
  for (let index = 0; ; index++) {
    const past = options.history[index]
    const due = past ? past.forcedBy : state.lastTurnReason()
    const turn = past
      ? pastTurn(past)
      : await takeTurn(
          options,
          { exchanges, number: turnNumber++, tools: options.tools.tools, mayCall: !due, forcedBy: due ?? null },
          signal,
        )
    const last = turn.forcedBy
    if (last) state.reasons.push(last)
    state.count(turn.usage, turn.costUsd)
    const text = answerText(turn)
    // A cut answer may end in the middle of a call: then none of its calls is made.
    const calls = turn.stopReason === 'cut' || last ? [] : turn.items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
    if (calls.length > 0) {
      const results = await runCalls(options, turn.number, calls, past?.calls ?? [], state, signal)
      exchanges = [...exchanges, { items: turn.items, results }]
      continue
    }
    const cutInCall = turn.stopReason === 'cut' && turn.items.some((item) => item.type === 'tool_call')
    const parsed = cutInCall && !repaired && !last ? CUT_IN_CALL : checkOutput(options, text)
    if (turn.stopReason === 'cut' && (parsed.ok || repaired || last)) state.reasons.push(CUT)
    if (parsed.ok) return state.result(text, parsed.value)
    if (repaired || last) {
      state.reasons.push(unusable(text, parsed.why))
      return state.result(text, undefined)
    }
    repaired = true
    // A call that is not made has no result, and reasoning needs what followed from it: providers refuse them alone.
    const items = cutInCall ? turn.items.filter((item) => item.type === 'message') : turn.items
    exchanges = [...exchanges, { items, results: [], reply: repairReply(parsed.why) }]
  }
}

type State = ReturnType<typeof createState>

/** What a conversation has used so far, and what stands against it. */
function createState(options: LocalOptions) {
  const { limits, softDeadline, price } = options
  const warnAt = createLimitWarnings(options)
  let turns = 0
  let toolCalls = 0
  let usage = noUsage
  let costUsd = price ? 0 : null
  let mistakes = 0
  let loop: string | undefined
  const repeats = new Map<string, number>()
  const reasons: Reason[] = []
  const over = (code: FailureCode, message: string): Reason => ({ code, message })
  return {
    reasons,
    count(used: Usage, cost: number | null) {
      turns++
      usage = addUsage(usage, used)
      if (costUsd !== null) costUsd += cost ?? 0
      warnAt({ turns, toolCalls, tokens: usage.inputTokens + usage.outputTokens, costUsd: costUsd ?? 0 })
    },
    /** True while the run may make one more call. */
    takeCall: () => ++toolCalls <= limits.toolCalls,
    noteCall(name: string, args: string, mistake: boolean) {
      mistakes = mistake ? mistakes + 1 : 0
      const key = `${name} ${args}`
      const times = (repeats.get(key) ?? 0) + 1
      repeats.set(key, times)
      if (mistakes >= MISTAKES_IN_A_ROW) loop = `The model made ${mistakes} faulty calls in a row.`
      if (times >= SAME_CALL_LIMIT) loop = `The model made the same call of ${name} ${times} times.`
    },
    /** Why the next turn is the last one, if it is. */
    lastTurnReason(now = new Date()): Reason | undefined {
      const tokens = usage.inputTokens + usage.outputTokens
      if (loop !== undefined) return over('LOOP_DETECTED', loop)
      if (turns >= limits.turns) return over('BUDGET_TURNS', `All ${limits.turns} turns were used.`)
      if (toolCalls > limits.toolCalls) return over('BUDGET_TOOL_CALLS', `All ${limits.toolCalls} tool calls were used.`)
      if (limits.tokens !== undefined && tokens >= limits.tokens)
        return over('BUDGET_TOKENS', `${tokens} of ${limits.tokens} tokens were used.`)
      if (limits.costUsd !== undefined && (costUsd ?? 0) >= limits.costUsd)
        return over('BUDGET_COST', `${(costUsd ?? 0).toFixed(4)} of ${limits.costUsd} USD were used.`)
      if (now >= softDeadline) return over('DEADLINE', 'The deadline was near, so the model had to answer with what it had.')
      return undefined
    },
    result: (text: string, output: unknown): DelegateResult => ({ text: text === '' ? null : text, output, reasons, usage, costUsd }),
  }
}

type Call = Extract<TurnItem, { type: 'tool_call' }>

/** Runs the calls of a turn, a few at a time; their results come back in their order. The first that must end the attempt ends it when all are done. */
async function runCalls(
  options: LocalOptions,
  turn: number,
  calls: readonly Call[],
  past: readonly PastCall[],
  state: State,
  signal: AbortSignal,
): Promise<{ callId: string; text: string }[]> {
  // First of all: a turn that is bound to stop makes no other call.
  const known = calls.map((_, position) => {
    const one = past.find((call) => call.position === position)
    return one && replay(one, options.onUnknown)
  })
  const outcomes: ToolOutcome[] = []
  let failure: unknown
  let next = 0
  const work = async () => {
    while (next < calls.length && failure === undefined) {
      const position = next++
      const call = calls[position]
      if (!call) return
      try {
        outcomes[position] = await runCall(options, turn, position, call, known[position], state, signal)
      } catch (error) {
        failure ??= error ?? new Error('a tool call failed')
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.toolConcurrency, calls.length) }, work))
  if (failure !== undefined) throw failure
  return calls.map((call, position) => {
    const outcome = outcomes[position]
    if (outcome) {
      state.noteCall(call.name, call.arguments, outcome.mistake)
      state.reasons.push(...reasonsOf(call.name, outcome))
    }
    return { callId: call.callId, text: outcome?.text ?? '' }
  })
}

async function runCall(
  options: LocalOptions,
  turn: number,
  position: number,
  call: Call,
  known: ToolOutcome | undefined,
  state: State,
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

/** What an earlier attempt knows of a call. Undefined: it may be made (again). */
function replay(past: PastCall, onUnknown: 'stop' | 'tell-model'): ToolOutcome | undefined {
  switch (past.status) {
    case 'ok':
    case 'error':
    case 'denied':
    case 'refused':
      return {
        status: past.status,
        text: past.result?.text ?? '',
        truncated: past.result?.truncated ?? false,
        failure: past.failure,
        mistake: past.status === 'refused' && past.failure?.code !== 'REQUEST_TOO_LARGE',
      }
    case 'not_run':
      return undefined
    case 'sent':
    case 'unknown': {
      if (past.repeatable) return undefined
      const message = `The call of ${past.tool} on ${past.server} was under way when an earlier attempt ended: it may have run.`
      if (onUnknown === 'stop') throw new Failure({ code: 'OUTCOME_UNKNOWN', message, server: past.server })
      return {
        status: 'unknown',
        text: 'Error: the call was sent and its outcome is not known: it may have run. Do not repeat it.',
        truncated: false,
        failure: null,
        mistake: false,
      }
    }
  }
}

function reasonsOf(name: string, outcome: ToolOutcome): Reason[] {
  const reasons: Reason[] = []
  if (outcome.status === 'denied') reasons.push({ code: 'TOOL_DENIED', message: outcome.failure?.message ?? `Policy denied ${name}.` })
  if (outcome.status === 'unknown')
    reasons.push({ code: 'OUTCOME_UNKNOWN', message: outcome.failure?.message ?? `The outcome of a call of ${name} is not known.` })
  if (outcome.truncated) reasons.push({ code: 'RESULT_TOO_LARGE', message: `A result of ${name} was cut.` })
  return reasons
}
