import { Failure, redactFailure } from '../core/failure.ts'
import { isNotRun, NotRun } from '../core/ports/gateway.ts'
import type { ToolCallRecord } from '../core/ports/journal.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import { decideUnknown, type OnUnknown } from '../core/rules/repeat.ts'
import { ARGUMENTS_TOO_LARGE, deniedCall, OUTCOME_UNKNOWN, RESULT_TOO_LARGE } from '../core/words/calls.ts'

export interface CallErrorOptions {
  onUnknown: OnUnknown
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
  const failure = why instanceof Failure ? redactFailure(why.toJSON(), redact) : null
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
    case 'ROUTE_DENIED':
      return { outcome: outcome('denied', deniedCall(error.requestId)) }
    case 'REQUEST_TOO_LARGE':
      return { outcome: outcome('refused', ARGUMENTS_TOO_LARGE) }
    case 'RESULT_TOO_LARGE':
      return { outcome: outcome('error', RESULT_TOO_LARGE, true) }
    case 'OUTCOME_UNKNOWN':
      switch (decideUnknown(record.repeatable, onUnknown)) {
        case 'try-later':
          return { outcome: outcome('unknown'), thrown: tryLater(error, record.server) }
        case 'tell-model':
          return { outcome: outcome('unknown', OUTCOME_UNKNOWN) }
        case 'stop':
          return { outcome: outcome('unknown'), thrown: error }
      }
    default:
      return { outcome: outcome(isNotRun(error) ? 'not_run' : 'unknown'), thrown: error }
  }
}

/** Costs an attempt, not the run: the next one goes on with the call. */
const tryLater = (error: Failure, server: string) =>
  new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: error.message, server, requestId: error.requestId, cause: error })
