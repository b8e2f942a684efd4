/** Timers cannot be longer: they would go off at once. */
const MAX_TIMER_MS = 2_147_483_647

/** A signal with an end of its own. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
  /** Ends it before its time. */
  abort(reason: unknown): void
}

/**
 * A signal that follows `signal` and also ends after `ms`, with `reason()` as its reason. Dispose of it when the work is over, so that neither the timer nor the
 * listener stays. More than 24 days are cut to that, the longest that a timer takes.
 */
export function deadlineSignal(signal: AbortSignal, ms: number, reason: () => unknown): Deadline {
  const own = new AbortController()
  const follow = () => own.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  if (signal.aborted) follow()
  const timer = setTimeout(() => own.abort(reason()), Math.min(Math.max(ms, 0), MAX_TIMER_MS))
  return {
    signal: own.signal,
    abort: (cause) => own.abort(cause),
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal.removeEventListener('abort', follow)
    },
  }
}

/** What `work` gives, or the rejection with `reason()` when it is not there after `ms`. The work itself goes on: this is for what cannot be told to stop. */
export async function within<T>(ms: number, work: Promise<T>, reason: () => unknown): Promise<T> {
  // oxlint-disable-next-line waits/bounded -- it is the bound
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(reason()), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
