import { askedMs, isKnownTime, rateResetMs, retryAfterMs, waitInWords } from '../../lib/time/foreign.ts'

/** Limits that providers count, by the names of their headers. */
const COUNTED = ['requests', 'tokens', 'input-tokens', 'output-tokens']

/** When a limit that is used up is filled again, as Anthropic says it: `anthropic-ratelimit-tokens-remaining: 0` and a time. The latest counts. */
function resetMs(headers: Headers, now: number): number | undefined {
  const waits = COUNTED.flatMap((what) => {
    const reset = headers.get(`anthropic-ratelimit-${what}-reset`)?.trim() ?? ''
    const isUsedUp = headers.get(`anthropic-ratelimit-${what}-remaining`)?.trim() === '0'
    return isUsedUp && isKnownTime(reset) ? [Date.parse(reset) - now] : []
  })
  return waits.length === 0 ? undefined : askedMs(Math.max(...waits))
}

/** How long a provider asks to wait, by its headers or, of a limit of its rate, by its words. In milliseconds, a day at most. */
export function waitOf(
  headers: Headers | undefined,
  { isRate, text, now = Date.now() }: { isRate: boolean; text: string; now?: number },
): number | undefined {
  const told = headers && retryAfterMs(headers, now)
  if (told !== undefined || !isRate) return told
  return (headers && (rateResetMs(headers) ?? resetMs(headers, now))) ?? waitInWords(text)
}

/** Longest wait that the client makes by itself, within one try of ours. */
const MAX_WAIT_MS = 30_000

/** The client would sleep for as long as it is told: a longer wait is a matter of the run. */
export const isLongWait = (headers: Headers): boolean => (retryAfterMs(headers) ?? 0) > MAX_WAIT_MS
