// @ts-nocheck
import type { FinalStatus, Reason } from '../run.ts'

/** Green is earned: an answer, and not one reason against it. */
export function decideOutcome(reasons: readonly Reason[]): Extract<FinalStatus, 'succeeded' | 'incomplete'> {
  return reasons.length === 0 ? 'succeeded' : 'incomplete'
}

/** The same reason is listed once, with the first message. */
export function distinctReasons(reasons: readonly Reason[]): Reason[] {
  const seen = new Map<string, Reason>()
  for (const reason of reasons) {
    const key = `${reason.code} ${reason.message}`
    if (!seen.has(key)) seen.set(key, reason)
  }
  return [...seen.values()]
}
