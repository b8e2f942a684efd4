import { wellFormed } from '../../lib/json/well-formed.ts'
import type { HostedOutcome } from '../hosted.ts'
import { fieldsIn, isSaid, shownIn } from '../foreign.ts'

const NO_PARAMS = -32602
const REQUEST_ID = /request ([\w.:-]{8,128}) for details/
/** The words in which Pomerium denies a call: providers pass them on, in a protocol error or as a text. */
const DENIAL = /access denied, please see the authorization log/
/** Words of providers for a broken connection. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i

/** Statuses of a call that has no result yet, whatever stands in its place. */
const UNDER_WAY = new Set<unknown>(['queued', 'in_progress', 'calling'])
const OVER = new Set<unknown>(['completed', 'failed', 'incomplete'])

/** What is read of an `mcp_call`. */
interface McpCall {
  error?: unknown
  output?: unknown
  status?: unknown
}

/** Whether an item of an answer under way is over: one that only may be is so when the answer is. */
export const isCallOver = ({ error, output, status }: McpCall): boolean =>
  !UNDER_WAY.has(status) && (OVER.has(status) || isSaid(output) || isSaid(error))

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function outcomeOf({ error: given, output, status }: McpCall): HostedOutcome {
  if (!isSaid(given)) return withoutError(output, status)
  const error = wellFormed(given)
  const fields = fieldsIn(error)
  const code = typeof fields['code'] === 'number' ? fields['code'] : undefined
  const message = typeof fields['message'] === 'string' ? fields['message'] : shownIn(error)
  if (DENIAL.test(message) && (code === undefined || code === NO_PARAMS))
    return { kind: 'denied', text: message, requestId: REQUEST_ID.exec(message)?.[1] }
  if (fields['type'] === 'http_error') return { kind: 'http', status: code ?? 0, text: message }
  if (typeof error === 'string') {
    const inWords = statusIn(error)
    if (inWords !== undefined) return { kind: 'http', status: inWords, text: message }
    if (LOST.test(error)) return { kind: 'lost' }
  }
  return { kind: 'tool-error', text: shownIn(fields['content'] ?? fields['message'] ?? error) }
}

function withoutError(output: unknown, status: unknown): HostedOutcome {
  const isEmpty = output === null || output === undefined || (UNDER_WAY.has(status) && !isSaid(output))
  if (isEmpty || status === 'incomplete') return { kind: 'no-result' }
  return { kind: status === 'failed' ? 'tool-error' : 'ok', text: shownIn(output) }
}

/** The HTTP status in an error that is a text. */
function statusIn(text: string): number | undefined {
  const status = /\b(?:HTTP|status)(?: status)?(?: code)?:?\s*(\d{3})\b/i.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}
