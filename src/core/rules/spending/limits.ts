// The limits of a run: when the model has to answer with what it has, and what an operator is told before.
import { WARN_SHARE } from './budget.ts'
import type { Reason } from '../../run.ts'

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

/** Why the next turn is the last one by the limits; undefined when it is not. `toolCalls` counts those that were asked for: a limit that is met, but not passed, ends nothing. */
export function limitReason(used: Used, limits: Limits): Reason | undefined {
  if (used.turns >= limits.turns) return { code: 'BUDGET_TURNS', message: `All ${limits.turns} turns were used.` }
  if (used.toolCalls > limits.toolCalls) return { code: 'BUDGET_TOOL_CALLS', message: `All ${limits.toolCalls} tool calls were used.` }
  return passedLimits(used, limits, (value, limit) => value >= limit)[0]
}

/** Token and cost limits that a hosted answer passed: a provider reports usage only at its end, so it could not be stopped in time. */
export function passedLimits(used: Used, limits: Limits, isOver = (value: number, limit: number) => value > limit): Reason[] {
  const reasons: Reason[] = []
  if (limits.tokens !== undefined && isOver(used.tokens, limits.tokens))
    reasons.push({ code: 'BUDGET_TOKENS', message: `${used.tokens} of ${limits.tokens} tokens were used.` })
  if (limits.costUsd !== undefined && isOver(used.costUsd, limits.costUsd))
    reasons.push({ code: 'BUDGET_COST', message: `${used.costUsd.toFixed(4)} of ${limits.costUsd} USD were used.` })
  return reasons
}

/** The reason for a last turn near the deadline, so that the run still ends with an answer. */
export const DEADLINE_NEAR: Reason = { code: 'DEADLINE', message: 'The deadline was near, so the model had to answer with what it had.' }

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
