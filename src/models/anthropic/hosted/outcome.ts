import { shownIn, textOfParts, type Fields } from '../../foreign.ts'

/** The words in which Pomerium denies a call. */
const DENIED = /access denied, please see the authorization log/
/** Words of a broken connection. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i
/** What clients of MCP put before the status with which a server was answered. */
const TRANSPORT =
  /^\s{0,20}(?:error posting to endpoint|(?:streamable )?http error|client error|server error|unexpected (?:http )?status)\b.{0,80}\b[45]\d\d\b/i

/**
 * A result of a call in the fields of the other protocol. All that is told of a call that failed is a text, which the server itself may have written: so it proves of no call that
 * it did not run, and what speaks of a connection leaves the outcome unknown.
 */
export function resultFields({ content, is_error: isError }: Fields): Fields {
  const text = typeof content === 'string' || Array.isArray(content) ? textOfParts(content) : shownIn(content)
  if (isError !== true) return { output: text, status: 'completed' }
  if (DENIED.test(text)) return { error: text, status: 'failed' }
  if (TRANSPORT.test(text)) return { error: { type: 'http_error', code: 0, message: text }, status: 'failed' }
  return { error: LOST.test(text) ? 'disconnected' : { content: text }, status: 'failed' }
}
