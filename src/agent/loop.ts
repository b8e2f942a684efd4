// The local conversation: the model asks for tool calls, we make them. A turn is written before its calls are made, a call before it is sent, so that a later attempt replays
// what is known and goes on.
import { reasonsAgainst } from '../core/rules/outcome.ts'
import type { DelegateResult, Exchange, ParsedOutput } from '../models/model.ts'
import { makeCalls, type CallOptions } from './calls.ts'
import { createState } from './state.ts'
import { answerText, checkOutput, pastTurn, repairReply, requireAnswer, takeTurn, type DelegateOptions, type TakenTurn } from './turn.ts'

export interface LocalOptions extends DelegateOptions, CallOptions {}

/** Runs the conversation to its answer. Throws a `Failure` when there is none. */
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
    state.countTurn(turn)
    const next = decideNext(options, turn, repaired)
    switch (next.kind) {
      case 'call': {
        const results = await makeCalls(options, turn.number, next.calls, past?.calls ?? [], state, signal)
        exchanges = [...exchanges, { items: turn.items, results }]
        break
      }
      case 'repair':
        repaired = true
        exchanges = [...exchanges, { items: next.items, results: [], reply: repairReply(next.why) }]
        break
      case 'answer': {
        const { text, parsed } = next
        if (!parsed.ok) requireAnswer(text)
        const reasons = reasonsAgainst({
          forcedBy: state.forcedBy,
          passed: [],
          calls: state.calls,
          cut: turn.stopReason === 'cut',
          misfit: parsed.ok ? undefined : parsed.why,
        })
        return { text: text === '' ? null : text, output: parsed.ok ? parsed.value : undefined, reasons, ...state.spent() }
      }
    }
  }
}

type Next =
  | { kind: 'call'; calls: Extract<TakenTurn['items'][number], { type: 'tool_call' }>[] }
  | { kind: 'repair'; items: TakenTurn['items']; why: string }
  | { kind: 'answer'; text: string; parsed: ParsedOutput }

const CUT_IN_CALL = { ok: false, why: 'it was cut off in a call of a tool, which was not made' } as const

/** What follows a turn: its calls are made, the answer is asked for once more, or it is the answer. Throws when the model refused. */
function decideNext(options: LocalOptions, turn: TakenTurn, repaired: boolean): Next {
  const text = answerText(turn)
  const isLast = turn.forcedBy !== null
  const cut = turn.stopReason === 'cut'
  const calls = turn.items.flatMap((item) => (item.type === 'tool_call' ? [item] : []))
  // A cut answer may end in the middle of a call: then none of its calls is made.
  if (calls.length > 0 && !cut && !isLast) return { kind: 'call', calls }
  const mayRepair = !repaired && !isLast
  const cutInCall = cut && calls.length > 0
  const parsed = cutInCall && mayRepair ? CUT_IN_CALL : checkOutput(options, text)
  if (parsed.ok || !mayRepair) return { kind: 'answer', text, parsed }
  // A call that is not made has no result, and reasoning needs what followed from it: providers refuse them alone.
  return { kind: 'repair', items: cutInCall ? turn.items.filter((item) => item.type === 'message') : turn.items, why: parsed.why }
}
