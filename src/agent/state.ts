import { DEADLINE_NEAR, limitReason } from '../core/rules/last-turn.ts'
import { nearLimits, usedShare, type Limits, type Used } from '../core/rules/spending/limits.ts'
import { spendOf } from '../core/rules/spending/spend.ts'
import { createLoopWatch } from '../core/rules/loops.ts'
import type { CallFact } from '../core/rules/outcome.ts'
import { leftNote } from '../core/words/notes.ts'
import { addUsage, noUsage, type Reason, type Usage } from '../core/run.ts'
import { createResults } from './results.ts'
import type { DelegateOptions, TakenTurn } from './turn.ts'

/** Shares of the tightest limit at which the model is told what is left. */
const TOLD_SHARES = [0.5, 0.8]

export type ConversationState = ReturnType<typeof createState>

/** Usage and calls of a conversation so far. Deterministic: a replay of the same turns gives the same state. */
export function createState(options: Pick<DelegateOptions, 'limits' | 'softDeadline' | 'price' | 'warn' | 'journal'>) {
  const { limits, softDeadline, price } = options
  const warnAt = createLimitWarnings(options)
  let knownUsd: number | null = null
  const used: Used = { turns: 0, toolCalls: 0, tokens: 0, costUsd: 0 }
  const calls: CallFact[] = []
  const forcedBy: Reason[] = []
  let usage = noUsage
  const loops = createLoopWatch()
  let toldShare = 0
  let toldBefore = 0
  /** The limits are kept by an estimate where the cost is not known. */
  function count(more: Usage, costUsd: number | null) {
    usage = addUsage(usage, more)
    used.tokens = usage.inputTokens + usage.outputTokens
    used.costUsd += costUsd ?? spendOf(more, price).costUsd
    warnAt(used)
  }
  return {
    calls,
    loops,
    results: createResults(options.journal),
    /** Tools of which the model was told that a result is not the whole. */
    toldRests: new Set<string>(),
    forcedBy,
    countTurn(turn: Pick<TakenTurn, 'forcedBy' | 'usage' | 'costUsd'>) {
      if (turn.forcedBy) forcedBy.push(turn.forcedBy)
      used.turns++
      if (turn.costUsd !== null) knownUsd = (knownUsd ?? 0) + turn.costUsd
      count(turn.usage, turn.costUsd)
    },
    /** An answer that was not seen to its end. */
    countUnseen: (unseen: Usage) => count(unseen, null),
    /** True while the run may make one more call. */
    takeCall: () => ++used.toolCalls <= limits.toolCalls,
    /** The note on what is left: once when half of the tightest limit is used, and once at 80 %. */
    leftNote(): string | undefined {
      const share = usedShare(used, limits)
      const mark = TOLD_SHARES.findLast((one) => share >= one) ?? 0
      toldBefore = toldShare
      if (mark <= toldShare) return undefined
      toldShare = mark
      return leftNote({
        turns: Math.max(limits.turns - used.turns, 0),
        toolCalls: Math.max(limits.toolCalls - used.toolCalls, 0),
        tokens: limits.tokens === undefined ? undefined : Math.max(limits.tokens - used.tokens, 0),
      })
    },
    /** The note was not told: another turn comes before it. */
    takeBackNote(): void {
      toldShare = toldBefore
    },
    /** Why the next turn is the last one, if it is. */
    lastTurnReason(now = performance.now()): Reason | undefined {
      const loop = loops.reason()
      if (loop !== undefined) return { code: 'LOOP_DETECTED', message: loop }
      return limitReason(used, limits) ?? (now >= softDeadline ? DEADLINE_NEAR : undefined)
    },
    /** What is known of it, with estimates of the rest in the usage alone. */
    spent: (): { usage: Usage; costUsd: number | null } => ({ usage, costUsd: knownUsd }),
  }
}

/** Warns once for each limit when 80 % of it are used. */
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
