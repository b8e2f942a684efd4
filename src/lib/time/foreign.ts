// Times that others say: read and bounded here alone. A wait of a year and a date that no store, timer or reader holds are answers that a server, a file or a person gives.
import { z } from 'zod'

/** The longest that anybody outside may have us wait. */
const MAX_ASKED_MS = 24 * 3_600_000

/** A wait that was asked for, bounded: from none to a day. Undefined for what is no wait. */
export const askedMs = (ms: number | undefined): number | undefined =>
  ms === undefined || Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_ASKED_MS)

const SECONDS = /^\d+(?:\.\d+)?$/

/** `retry-after` in milliseconds, whether it gives seconds or a date, or `retry-after-ms`, which some providers send and which is exacter. */
export function retryAfterMs(headers: Headers, now = Date.now()): number | undefined {
  const ms = headers.get('retry-after-ms')?.trim() ?? ''
  if (SECONDS.test(ms)) return askedMs(Number(ms))
  const value = headers.get('retry-after')?.trim() ?? ''
  return askedMs(SECONDS.test(value) ? Number(value) * 1000 : value.includes(':') ? Date.parse(value) - now : undefined)
}

const RESET = /^(?:(\d{1,4})h)?(?:(\d{1,4})m(?!s))?(?:(\d{1,6}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?$/

/** When a rate that is used up is there again, in milliseconds, by `x-ratelimit-reset-requests` and `-tokens` as OpenAI and others send them: `6m0s`, `1.5s`, `120ms`. */
export function rateResetMs(headers: Headers): number | undefined {
  const waits = ['requests', 'tokens'].flatMap((kind) => {
    if (headers.get(`x-ratelimit-remaining-${kind}`)?.trim() !== '0') return []
    const text = headers.get(`x-ratelimit-reset-${kind}`)?.trim() ?? ''
    const parts = text === '' ? null : RESET.exec(text)
    if (!parts) return []
    const [h, m, s, ms] = parts.slice(1).map((part: string | undefined) => Number(part ?? 0))
    return [(h ?? 0) * 3_600_000 + (m ?? 0) * 60_000 + (s ?? 0) * 1000 + (ms ?? 0)]
  })
  return waits.length === 0 ? undefined : askedMs(Math.ceil(Math.max(...waits)))
}

const WAIT =
  /\b(?:try again|retry) (?:in|after) (?:(\d{1,4}) ?h(?:ours?)? ?)?(?:(\d{1,4}) ?m(?:in(?:utes?)?)?(?![a-z]) ?)?(?:(\d{1,6}(?:\.\d{1,9})?) ?(ms|s)(?:ec(?:onds?)?)?\b)?/i

/** A wait that an error tells of in words, in milliseconds: `try again in 20s`, `1m30.5s`, `120ms`, `2 minutes`. */
export function waitInWords(text: string): number | undefined {
  const [, hours, minutes, rest = '0', unit] = WAIT.exec(text) ?? []
  if (hours === undefined && minutes === undefined && unit === undefined) return undefined
  const ms = Number(rest) * (unit?.toLowerCase() === 'ms' ? 1 : 1000)
  return askedMs(Math.ceil(Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000 + ms))
}

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Of the years that RFC 3339 can write in UTC, those from 1970 on. */
export const isKnownTime = (text: string): boolean => {
  const at = Date.parse(text)
  return at >= 0 && at <= LAST_MS
}

/** A time of RFC 3339 with its zone. */
export const foreignTime = z.iso.datetime({ offset: true }).refine(isKnownTime, 'must be in the years 1970 to 9999, in UTC')
