import { wellFormed } from '../../../lib/json/well-formed.ts'
import type { HostedOutcome } from '../../hosted.ts'
import { fieldsIn, shownIn } from '../foreign.ts'

const NO_PARAMS = -32602
const REQUEST_ID = /request ([\w.:-]{8,128}) for details/
/** The words in which Pomerium denies a call: providers pass them on, in a protocol error or as a text. */
const DENIAL = /access denied, please see the authorization log/
/** Words of providers for a broken connection. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function outcomeOf({ error: given, output }: { error?: unknown; output?: unknown }): HostedOutcome {
  const error = wellFormed(given)
  if (error === null || error === undefined) {
    return output === null || output === undefined ? { kind: 'no-result' } : { kind: 'ok', text: shownIn(output) }
  }
  const fields = fieldsIn(error)
  const code = typeof fields['code'] === 'number' ? fields['code'] : undefined
  const message = typeof fields['message'] === 'string' ? fields['message'] : shownIn(error)
  if (DENIAL.test(message) && (code === undefined || code === NO_PARAMS))
    return { kind: 'denied', text: message, requestId: REQUEST_ID.exec(message)?.[1] }
  if (fields['type'] === 'http_error') return { kind: 'http', status: code ?? 0, text: message }
  if (typeof error === 'string') {
    const status = statusIn(error)
    if (status !== undefined) return { kind: 'http', status, text: message }
    if (LOST.test(error)) return { kind: 'lost' }
  }
  return { kind: 'tool-error', text: shownIn(fields['content'] ?? fields['message'] ?? error) }
}

/** The HTTP status in an error that is a text. */
function statusIn(text: string): number | undefined {
  const status = /\b(?:HTTP|status)(?: status)?(?: code)?:?\s*(\d{3})\b/i.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}
