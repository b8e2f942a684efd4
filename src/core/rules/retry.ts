import type { Failure } from '../failure.ts'
import { askedMs } from '../../lib/time/foreign.ts'

export interface RetryPolicy {
  /** Most attempts of a run, the first included. */
  attempts: number
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: number
}

/** `waitMs`: until the next attempt may begin. A wait and no time: the clock of this process may be wrong, and the store's decides. */
export type RetryDecision = { verdict: 'retry'; waitMs: number } | { verdict: 'wait' } | { verdict: 'stop' }

const MAX_BACKOFF_MS = 60 * 60_000
const JITTER = 0.2
/** Attempts lost with their worker do not count towards the policy; this many are allowed beside it. */
const LOST_ATTEMPTS = 5
/** A run whose worker's event loop was blocked so many times is taken to be what blocks it, and is not handed to another one. */
const STALLED_ATTEMPTS = 2

/** Waits of a run for a person. A server that is connected each time and still asks for it does not heal by that. */
const MAX_WAITS = 10

/** A worker that cannot do the run leaves it to others, outside the policy: seventeen times in about an hour, in which a deployment comes to be of one version. */
const UNFIT: RetryPolicy = { attempts: 18, backoffMs: 5000 }
const MAX_UNFIT_BACKOFF_MS = 5 * 60_000

/**
 * Says what follows a failed attempt.
 * `attempt` is the number of the one that failed, from 1, among those that failed for the same of five reasons (lost, stalled, unfit, a server to be connected, any other); `random` is in [0, 1) and spreads retries by up to 20 %.
 */
export function decideRetry(
  failure: Pick<Failure, 'code' | 'retry' | 'retryAfterMs'>,
  attempt: number,
  policy: RetryPolicy,
  random = Math.random(),
): RetryDecision {
  if (failure.retry === 'after-connection') return { verdict: attempt < MAX_WAITS ? 'wait' : 'stop' }
  if (failure.retry === 'never') return { verdict: 'stop' }
  const lost = failure.code === 'WORKER_LOST'
  const unfit = failure.code === 'WORKER_UNFIT'
  if (failure.code === 'WORKER_STALLED') return attempt >= STALLED_ATTEMPTS ? { verdict: 'stop' } : { verdict: 'retry', waitMs: 0 }
  const { attempts, backoffMs } = unfit ? UNFIT : policy
  if (attempt >= attempts + (lost ? LOST_ATTEMPTS : 0)) return { verdict: 'stop' }
  if (lost) return { verdict: 'retry', waitMs: 0 }
  const most = unfit ? MAX_UNFIT_BACKOFF_MS : MAX_BACKOFF_MS
  const waitMs = Math.min(backoffMs * 2 ** (attempt - 1), most) * (1 + JITTER * random)
  return { verdict: 'retry', waitMs: Math.round(Math.max(waitMs, askedMs(failure.retryAfterMs) ?? 0)) }
}
