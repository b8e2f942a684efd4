// When the silence of Pomerium's log is told: requests of ours without a line, and how often.
import { createHash } from 'node:crypto'

/** A follower that is started again reads on within this time. */
const LATE_MS = 5 * 60_000
const HOUR_MS = 3_600_000

/** After how long a request of ours without a line counts, in ms: longer than the grace time of the join, and than any follower takes. */
export const lateAfterMs = (graceMs: number): number => Math.max(graceMs, LATE_MS)

/** The id of its alarm: one an hour, however many processes notice. */
export const silenceId = (now: Date): string => uuidOf(`silence of the log ${Math.floor(now.getTime() / HOUR_MS)}`)

/** The same id for the same text, in the form of a version 8 UUID. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
