// Whether a fire runs while its job is still at work.
import type { FireDecision } from './missed.ts'

export const OVERLAP_POLICIES = ['skip', 'queue'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

export type OverlapDecision =
  /** `afterRun` must be over before it is claimed. */
  { verdict: 'run'; afterRun: string | undefined } | { verdict: 'skip'; reason: string }

/** The most runs of a job that may be open while another fire is to wait for them: what waits for a person, or for long, does not gather fires without end. */
export const MAX_OPEN = 200

/** The newest run of a job that is not over, and how many there are, counted up to `MAX_OPEN`. */
export interface OpenRuns {
  newest: string
  count: number
}

/**
 * Says whether a fire runs beside runs of the job that are not over. Those that are made up for wait for each other whatever `overlap`
 * says: it is about runs that take too long, and these are due at once. The store asks, under the lock of the job's fires.
 */
export function decideOverlap(decision: FireDecision, open: OpenRuns | undefined, overlap: OverlapPolicy): OverlapDecision {
  if (decision.verdict === 'skip') return { verdict: 'skip', reason: decision.reason }
  if (!open) return { verdict: 'run', afterRun: undefined }
  if (overlap === 'skip' && !decision.madeUp) return { verdict: 'skip', reason: `run ${open.newest} was not over (overlap: skip)` }
  if (open.count >= MAX_OPEN) return { verdict: 'skip', reason: `${MAX_OPEN} runs of the job or more were not over (overlap: ${overlap})` }
  return { verdict: 'run', afterRun: open.newest }
}
