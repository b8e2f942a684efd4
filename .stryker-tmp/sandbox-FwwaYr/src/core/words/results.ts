// @ts-nocheck
import { cutBytes } from '../../lib/text.ts'

/** How a run shows foreign text to its model. */
export interface Showing {
  /** Most bytes of a result. */
  resultBytes: number
  /** Takes secrets out, before the text is kept or told to the model. */
  redact: (text: string) => string
}

/** What the model reads of a result, of our own calls as of a provider's: without secrets, and cut with a mark. */
export function showResult(whole: string, { resultBytes, redact }: Showing): { text: string; truncated: boolean } {
  const { text, truncated } = cutBytes(redact(whole), resultBytes)
  return { text: truncated ? `${text}\n[cut at ${resultBytes} bytes]` : text, truncated }
}
