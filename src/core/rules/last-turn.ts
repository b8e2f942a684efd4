// When a turn is the last one, in which the model has to answer with what it has: over a limit of the run, and near its deadline.
import type { Reason } from '../run.ts'
import { passedLimits, type Limits, type Used } from './spending/limits.ts'

/** Time kept for a last turn before the deadline: this share of the time that a run may take, at most a minute. */
const LAST_TURN_SHARE = 0.15
const LAST_TURN_MS = 60_000

/** Why the next turn is the last one by the limits; undefined when it is not. `toolCalls` counts those that were asked for: a limit that is met, but not passed, ends nothing. */
export function limitReason(used: Used, limits: Limits): Reason | undefined {
  if (used.turns >= limits.turns) return { code: 'BUDGET_TURNS', message: `All ${limits.turns} turns were used.` }
  if (used.toolCalls > limits.toolCalls) return { code: 'BUDGET_TOOL_CALLS', message: `All ${limits.toolCalls} tool calls were used.` }
  return passedLimits(used, limits, (value, limit) => value >= limit)[0]
}

/** The reason for a last turn near the deadline, so that the run still ends with an answer. */
export const DEADLINE_NEAR: Reason = { code: 'DEADLINE', message: 'The deadline was near, so the model had to answer with what it had.' }

/** From when on a turn is the last one, of a run that may take `limitMs` and ends at `endsAt`; both on the same clock, in ms. */
export function lastTurnAt(endsAt: number, limitMs: number): number {
  return endsAt - Math.min(limitMs * LAST_TURN_SHARE, LAST_TURN_MS)
}
