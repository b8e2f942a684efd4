import type { Failure } from '../failure.ts'

export interface RetryPolicy {
  /** Most attempts of a run, the first included. */
  attempts: number
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: number
}

export type RetryDecision = { verdict: 'retry'; at: Date } | { verdict: 'wait' } | { verdict: 'stop' }

const MAX_BACKOFF_MS = 60 * 60_000
/** Upper bound for `retry-after`, which is foreign input. */
const MAX_ASKED_MS = 24 * 60 * 60_000
const JITTER = 0.2
/** Attempts lost with their worker do not count towards the policy; this many are allowed beside it. */
const LOST_ATTEMPTS = 5

/** A worker that cannot do the run leaves it to others, outside the policy: seventeen times in about an hour, in which a deployment comes to be of one version. */
const UNFIT: RetryPolicy = { attempts: 18, backoffMs: 5000 }
const MAX_UNFIT_BACKOFF_MS = 5 * 60_000

/**
 * Says what follows a failed attempt.
 * `attempt` is the number of the one that failed, from 1, among those that failed for the same of three reasons (lost, unfit, any other); `random` is in [0, 1) and spreads retries by up to 20 %.
 */
export function decideRetry(
  failure: Pick<Failure, 'code' | 'retry' | 'retryAfterMs'>,
  attempt: number,
  policy: RetryPolicy,
  now: Date,
  random = Math.random(),
): RetryDecision {
  if (failure.retry === 'after-connection') return { verdict: 'wait' }
  if (failure.retry === 'never') return { verdict: 'stop' }
  const lost = failure.code === 'WORKER_LOST'
  const unfit = failure.code === 'WORKER_UNFIT'
  const { attempts, backoffMs } = unfit ? UNFIT : policy
  if (attempt >= attempts + (lost ? LOST_ATTEMPTS : 0)) return { verdict: 'stop' }
  if (lost) return { verdict: 'retry', at: now }
  const most = unfit ? MAX_UNFIT_BACKOFF_MS : MAX_BACKOFF_MS
  const waitMs = Math.min(backoffMs * 2 ** (attempt - 1), most) * (1 + JITTER * random)
  return { verdict: 'retry', at: new Date(now.getTime() + Math.round(Math.max(waitMs, askedMs(failure.retryAfterMs)))) }
}

/** The wait that was asked for, bounded. */
function askedMs(retryAfterMs: number | undefined): number {
  if (retryAfterMs === undefined || Number.isNaN(retryAfterMs)) return 0
  return Math.min(retryAfterMs, MAX_ASKED_MS)
}
