import { Failure } from '../core/failure.ts'

/** Runs `work` with a signal that also ends after `timeoutMs`; then it throws `GATEWAY_UNREACHABLE` that names `what`. */
export async function withTimeout<T>(
  signal: AbortSignal,
  timeoutMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController()
  const abort = () => own.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(
    () => own.abort(new Failure({ code: 'GATEWAY_UNREACHABLE', message: `No answer from ${what} within ${timeoutMs / 1000} s.` })),
    timeoutMs,
  )
  try {
    signal.throwIfAborted()
    return await work(own.signal)
  } catch (error) {
    throw own.signal.aborted ? own.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
