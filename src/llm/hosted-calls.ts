import type OpenAI from 'openai'
import type { FailureRecord } from '../core/failure.ts'
import type { ToolCallStatus } from '../core/run.ts'
import { cutBytes } from '../core/text.ts'

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

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function readCall(item: McpCall, server: string, resultBytes: number, redact: (text: string) => string): HostedEnd {
  // The client's type says string; what servers send says otherwise.
  const error: unknown = item.error
  const shown = (value: unknown) => cutBytes(redact(textOf(value)), resultBytes)
  if (error === null || error === undefined) {
    if (item.output === null || item.output === undefined) return unknownEnd(item.name, server, false, 'has no result')
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
  if (type === 'mcp_protocol_error' || type === 'mcp_tool_execution_error') return toolError
  if (type !== 'http_error') return toolError
  if (code === undefined || !NOT_RUN.has(code))
    return unknownEnd(item.name, server, false, `was answered with HTTP ${code ?? 'without a status'}`)
  const failure: FailureRecord = {
    code: 'UPSTREAM_UNAVAILABLE',
    message: `A call of ${item.name} on ${server} was answered with HTTP ${code}.`,
    retry: 'later',
    server,
  }
  return { status: 'not_run', ...shown(message), failure, unauthorized: code === 401 }
}

/** A call that began and whose end is not known. One that may be repeated does not stand against the run: asking again harms nothing. */
export function unknownEnd(tool: string, server: string, repeatable: boolean, why: string): HostedEnd {
  const failure: FailureRecord = {
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${tool} on ${server} ${why}: it may have run.`,
    retry: 'never',
    server,
  }
  return { status: 'unknown', text: '', truncated: false, failure: repeatable ? null : failure, unauthorized: false }
}
