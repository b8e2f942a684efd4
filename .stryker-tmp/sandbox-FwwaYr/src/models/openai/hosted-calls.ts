// @ts-nocheck
import type OpenAI from 'openai'
import type { FailureRecord } from '../../core/failure.ts'
import type { ToolCallStatus } from '../../core/run.ts'
import { cutBytes } from '../../lib/text.ts'

type McpCall = OpenAI.Responses.ResponseOutputItem.McpCall

/** What the provider says came of a call that it made. */
export interface HostedEnd {
  status: Exclude<ToolCallStatus, 'sent' | 'refused'>
  text: string
  truncated: boolean
  failure: FailureRecord | null
  /** The server was answered with HTTP 401: the token or a person's consent; the route list knows which. */
  unauthorized: boolean
}

const NO_PARAMS = -32602
const REQUEST_ID = /request ([\w.:-]{8,128}) for details/
/** Statuses with which a gateway or server says that it did not take the request. */
const NOT_RUN = new Set([400, 401, 403, 404, 405, 413, 429])

/** Words with which providers say that a connection did not hold. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function readCall(item: McpCall, server: string, resultBytes: number, redact: (text: string) => string): HostedEnd {
  // The client's type says string; what servers send says otherwise.
  const error: unknown = item.error
  const shown = (value: unknown) => cutBytes(redact(textOf(value)), resultBytes)
  if (error === null || error === undefined) {
    if (item.output === null || item.output === undefined) return unknownEnd(item.name, server, 'has no result')
    return { status: 'ok', ...shown(item.output), failure: null, unauthorized: false }
  }
  const type = isRecord(error) ? error['type'] : undefined
  const code = isRecord(error) && typeof error['code'] === 'number' ? error['code'] : undefined
  const message = isRecord(error) && typeof error['message'] === 'string' ? redact(error['message']) : redact(textOf(error))
  const toolError: HostedEnd = {
    status: 'error',
    ...shown(isRecord(error) ? (error['content'] ?? error['message'] ?? error) : error),
    failure: null,
    unauthorized: false,
  }
  if (/access denied, please see the authorization log/.test(message) && (code === undefined || code === NO_PARAMS)) {
    const requestId = REQUEST_ID.exec(message)?.[1]
    return {
      status: 'denied',
      ...shown(message),
      failure: {
        code: 'TOOL_DENIED',
        message: `Policy denied the tool ${item.name} on ${server} (request ${requestId ?? 'unknown'}).`,
        retry: 'never',
        server,
        ...(requestId !== undefined && { requestId }),
      },
      unauthorized: false,
    }
  }
  const status = type === 'http_error' ? (code ?? 0) : typeof error === 'string' ? statusIn(error) : undefined
  if (status === undefined)
    return typeof error === 'string' && LOST.test(error) ? unknownEnd(item.name, server, 'got no whole answer') : toolError
  if (!NOT_RUN.has(status)) return unknownEnd(item.name, server, `was answered with HTTP ${status === 0 ? 'without a status' : status}`)
  const failure: FailureRecord = {
    code: 'UPSTREAM_UNAVAILABLE',
    message: `A call of ${item.name} on ${server} was answered with HTTP ${status}.`,
    retry: 'later',
    server,
  }
  return { status: 'not_run', ...shown(message), failure, unauthorized: status === 401 }
}

/** The HTTP status in an error that is a text. */
function statusIn(text: string): number | undefined {
  const status = /\b(?:HTTP|status)(?: status)?(?: code)?:?\s*(\d{3})\b/i.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}

/** A call that began and whose end is not known: whatever the answer says, the run is not green. */
export function unknownEnd(tool: string, server: string, why: string): HostedEnd {
  const failure: FailureRecord = {
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${tool} on ${server} ${why}: it may have run.`,
    retry: 'never',
    server,
  }
  return { status: 'unknown', text: '', truncated: false, failure, unauthorized: false }
}
