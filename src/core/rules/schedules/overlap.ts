// Whether a fire runs while its job is still at work.
import type { FireDecision } from './missed.ts'

export const OVERLAP_POLICIES = ['skip', 'queue'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

export type OverlapDecision =
  /** `afterRun` must be over before it is claimed. */
  { verdict: 'run'; afterRun: string | undefined } | { verdict: 'skip'; reason: string }

/**
 * Says whether a fire runs beside `openRun`, the newest run of the job that is not over. Those that are made up for wait for each other whatever `overlap`
 * says: it is about runs that take too long, and these are due at once. The store asks, under the lock of the job's fires.
 */
export function decideOverlap(decision: FireDecision, openRun: string | undefined, overlap: OverlapPolicy): OverlapDecision {
  if (decision.verdict === 'skip') return { verdict: 'skip', reason: decision.reason }
  if (openRun !== undefined && overlap === 'skip' && !decision.madeUp)
    return { verdict: 'skip', reason: `run ${openRun} was not over (overlap: skip)` }
  return { verdict: 'run', afterRun: openRun }
}
