import type { FailureRecord } from '../../core/failure.ts'
import { provesNotRun } from '../../core/rules/repeat.ts'
import type { ToolCallStatus } from '../../core/run.ts'
import { keepResult, type Keeping, type ToKeep } from '../../core/rules/reading/keep.ts'
import type { HostedOutcome } from '../../models/hosted.ts'

/** What is kept of a call that the provider made. */
export interface HostedEnd {
  status: Exclude<ToolCallStatus, 'sent' | 'refused'>
  text: string
  truncated: boolean
  /** What is to be kept of a result that is larger than the text: the model was given all of it. */
  keep?: ToKeep
  failure: FailureRecord | null
  /** The server was answered with HTTP 401: the token or a person's consent; the route list knows which. */
  unauthorized: boolean
}

export interface EndOptions {
  server: string
  tool: string
  showing: Keeping
}

/** Turns what the provider says of a call into what is kept of it: redacted, cut, with its failure. */
export async function endOf(outcome: HostedOutcome, { server, tool, showing }: EndOptions): Promise<HostedEnd> {
  const { redact } = showing
  const shown = (text: string) => keepResult(undefined, text, showing)
  switch (outcome.kind) {
    case 'ok':
      return { status: 'ok', ...(await shown(outcome.text)), failure: null, unauthorized: false }
    case 'tool-error':
      return { status: 'error', ...(await shown(outcome.text)), failure: null, unauthorized: false }
    case 'denied': {
      const requestId = outcome.requestId === undefined ? undefined : redact(outcome.requestId)
      const failure: FailureRecord = {
        code: 'TOOL_DENIED',
        message: `Policy denied the tool ${tool} on ${server} (request ${requestId ?? 'unknown'}).`,
        retry: 'never',
        server,
        ...(requestId !== undefined && { requestId }),
      }
      return { status: 'denied', ...(await shown(outcome.text)), failure, unauthorized: false }
    }
    case 'http': {
      const { status } = outcome
      if (!provesNotRun(status)) return unknownEnd(tool, server, `was answered with HTTP ${status === 0 ? 'without a status' : status}`)
      const message = `A call of ${tool} on ${server} was answered with HTTP ${status}.`
      const failure: FailureRecord = { code: 'UPSTREAM_UNAVAILABLE', message, retry: 'later', server }
      return { status: 'not_run', ...(await shown(outcome.text)), failure, unauthorized: status === 401 }
    }
    case 'lost':
      return unknownEnd(tool, server, 'got no whole answer')
    case 'no-result':
      return unknownEnd(tool, server, 'has no result')
  }
}

/** A call that began and whose end is not known: whatever the answer says, the run is not green. */
export function unknownEnd(tool: string, server: string, why: string): HostedEnd {
  const failure: FailureRecord = {
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${tool || 'a tool that the provider did not name'}${server === '' ? '' : ` on ${server}`} ${why}: it may have run.`,
    retry: 'never',
    ...(server !== '' && { server }),
  }
  return { status: 'unknown', text: '', truncated: false, failure, unauthorized: false }
}
