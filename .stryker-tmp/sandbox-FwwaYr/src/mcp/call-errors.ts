// @ts-nocheck
import { Failure } from '../core/failure.ts'
import { isNotRun, NotRun } from '../core/ports/gateway.ts'
import type { ToolCallRecord } from '../core/ports/journal.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'

export interface CallErrorOptions {
  onUnknown: 'stop' | 'tell-model'
  redact: (text: string) => string
}

/** What a call that threw means: told to the model, or, with `thrown`, the end of the attempt. */
export function classifyCallError(
  error: unknown,
  record: ToolCallRecord,
  { onUnknown, redact }: CallErrorOptions,
  signal: AbortSignal,
): { outcome: ToolOutcome; thrown?: unknown } {
  const why = error instanceof NotRun ? error.cause : error
  const failure = why instanceof Failure ? { ...why.toJSON(), message: redact(why.message) } : null
  const outcome = (status: ToolOutcome['status'], text = '', truncated = false): ToolOutcome => ({
    status,
    text,
    truncated,
    failure,
    mistake: false,
  })
  if (!(error instanceof Failure))
    return { outcome: outcome(error instanceof NotRun ? 'not_run' : 'unknown'), thrown: signal.aborted ? signal.reason : why }
  switch (error.code) {
    case 'TOOL_DENIED':
      return {
        outcome: outcome(
          'denied',
          `Error: access to this tool was denied by policy (request ${error.requestId ?? 'unknown'}). Do not call it again.`,
        ),
      }
    case 'REQUEST_TOO_LARGE':
      return { outcome: outcome('refused', 'Error: the arguments are too large to be sent. Send less.') }
    case 'RESULT_TOO_LARGE':
      return { outcome: outcome('error', 'Error: the tool ran, but its result was too large to be read. Ask for less.', true) }
    case 'OUTCOME_UNKNOWN':
      // A repeatable call costs an attempt, not the run: the next attempt goes on with this call.
      if (record.repeatable)
        return {
          outcome: outcome('unknown'),
          thrown: new Failure({
            code: 'UPSTREAM_UNAVAILABLE',
            message: error.message,
            server: record.server,
            requestId: error.requestId,
            cause: error,
          }),
        }
      if (onUnknown === 'tell-model')
        return { outcome: outcome('unknown', 'Error: the call was sent and its outcome is not known: it may have run. Do not repeat it.') }
      return { outcome: outcome('unknown'), thrown: error }
    default:
      return { outcome: outcome(isNotRun(error) ? 'not_run' : 'unknown'), thrown: error }
  }
}
