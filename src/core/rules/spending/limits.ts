// The limits of a run: which are passed, and what an operator is told before. What then comes is decided in ../last-turn.ts.
import { WARN_SHARE } from './budget.ts'
import type { Reason } from '../../run.ts'

/** Most tool calls of a run whose job says nothing of it. */
export const DEFAULT_TOOL_CALLS = 50
/** Most tokens, and most USD, that a file may allow: a figure beyond it is a slip, and no bound. */
export const MAX_TOKENS = 1_000_000_000_000
export const MAX_USD = 1_000_000
/** Longest time of an attempt whose job says nothing of it. */
export const DEFAULT_DEADLINE = '10m'

/** Bounds of a run. Over one of them, the model gets one last turn without tools, and the run is not green. */
export interface Limits {
  turns: number
  toolCalls: number
  /** Input and output together. */
  tokens: number | undefined
  costUsd: number | undefined
}

/** What a run has used, in the units of its limits. */
export type Used = { [kind in keyof Limits]: number }

const KINDS = ['turns', 'toolCalls', 'tokens', 'costUsd'] as const

/** Token and cost limits that a hosted answer passed: a provider reports usage only at its end, so it could not be stopped in time. */
export function passedLimits(used: Used, limits: Limits, isOver = (value: number, limit: number) => value > limit): Reason[] {
  const reasons: Reason[] = []
  if (limits.tokens !== undefined && isOver(used.tokens, limits.tokens))
    reasons.push({ code: 'BUDGET_TOKENS', message: `${used.tokens} of ${limits.tokens} tokens were used.` })
  if (limits.costUsd !== undefined && isOver(used.costUsd, limits.costUsd))
    reasons.push({ code: 'BUDGET_COST', message: `${used.costUsd.toFixed(4)} of ${limits.costUsd} USD were used.` })
  return reasons
}

/** Limits of which 80 % are used. */
export function nearLimits(used: Used, limits: Limits): (keyof Limits)[] {
  return KINDS.filter((kind) => {
    const limit = limits[kind]
    return limit !== undefined && limit > 0 && used[kind] >= limit * WARN_SHARE
  })
}

/** The share of the limit that runs out first, from 0 to 1 and above. */
export function usedShare(used: Used, limits: Limits): number {
  return Math.max(0, ...KINDS.flatMap((kind) => (limits[kind] === undefined || limits[kind] === 0 ? [] : [used[kind] / limits[kind]])))
}
