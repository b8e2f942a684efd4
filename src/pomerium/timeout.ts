import { Failure } from '../core/failure.ts'
import { deadlineSignal } from '../lib/time/deadline.ts'

/** Runs `work` with a signal that also ends after `timeoutMs`; then it throws `GATEWAY_UNREACHABLE` that names `what`. */
export async function withTimeout<T>(
  signal: AbortSignal,
  timeoutMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limited = deadlineSignal(
    signal,
    timeoutMs,
    () => new Failure({ code: 'GATEWAY_UNREACHABLE', message: `No answer from ${what} within ${timeoutMs / 1000} s.` }),
  )
  try {
    signal.throwIfAborted()
    return await work(limited.signal)
  } catch (error) {
    throw limited.signal.aborted ? limited.signal.reason : error
  }
}
