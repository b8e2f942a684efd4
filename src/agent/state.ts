import { DEADLINE_NEAR, limitReason, nearLimits, type Limits, type Used } from '../core/rules/limits.ts'
import type { CallFact } from '../core/rules/outcome.ts'
import { addUsage, noUsage, type Reason, type Usage } from '../core/run.ts'
import type { DelegateOptions, TakenTurn } from './turn.ts'

const SAME_CALL_LIMIT = 3
const MISTAKES_IN_A_ROW = 5

export type ConversationState = ReturnType<typeof createState>

/** What a conversation has used so far, and what came of its calls. The same after a replay of the same turns. */
export function createState(options: Pick<DelegateOptions, 'limits' | 'softDeadline' | 'price' | 'warn'>) {
  const { limits, softDeadline, price } = options
  const warnAt = createLimitWarnings(options)
  const used: Used = { turns: 0, toolCalls: 0, tokens: 0, costUsd: 0 }
  const calls: CallFact[] = []
  const forcedBy: Reason[] = []
  let usage = noUsage
  let mistakes = 0
  let loop: string | undefined
  const repeats = new Map<string, number>()
  return {
    calls,
    forcedBy,
    countTurn(turn: Pick<TakenTurn, 'forcedBy' | 'usage' | 'costUsd'>) {
      if (turn.forcedBy) forcedBy.push(turn.forcedBy)
      usage = addUsage(usage, turn.usage)
      used.turns++
      used.tokens = usage.inputTokens + usage.outputTokens
      used.costUsd += turn.costUsd ?? 0
      warnAt(used)
    },
    /** True while the run may make one more call. */
    takeCall: () => ++used.toolCalls <= limits.toolCalls,
    noteCall(args: string, mistake: boolean, fact: CallFact) {
      calls.push(fact)
      mistakes = mistake ? mistakes + 1 : 0
      const key = `${fact.tool} ${args}`
      const times = (repeats.get(key) ?? 0) + 1
      repeats.set(key, times)
      if (mistakes >= MISTAKES_IN_A_ROW) loop = `The model made ${mistakes} faulty calls in a row.`
      if (times >= SAME_CALL_LIMIT) loop = `The model made the same call of ${fact.tool} ${times} times.`
    },
    /** Why the next turn is the last one, if it is. */
    lastTurnReason(now = new Date()): Reason | undefined {
      if (loop !== undefined) return { code: 'LOOP_DETECTED', message: loop }
      return limitReason(used, limits) ?? (now >= softDeadline ? DEADLINE_NEAR : undefined)
    },
    spent: (): { usage: Usage; costUsd: number | null } => ({ usage, costUsd: price ? used.costUsd : null }),
  }
}

/** Says once of each limit when 80 % of it are used. */
export function createLimitWarnings({ limits, warn }: Pick<DelegateOptions, 'limits' | 'warn'>) {
  const warned = new Set<keyof Limits>()
  return (used: Used) => {
    for (const kind of nearLimits(used, limits)) {
      if (warned.has(kind)) continue
      warned.add(kind)
      warn(`More than 80 % of limits.${kind} (${limits[kind]}) are used.`)
    }
  }
}
