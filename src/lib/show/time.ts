// Times and ages for people: one unit at a time, and each time with its zone.
const MINUTE_S = 60
const HOUR_S = 3600
const DAY_S = 86_400
/** An age stays in a unit up to so many of the next one, so that what it says is never off by much. */
const UP_TO = 1.5

/** An age in one unit: `45 s`, `14 min`, `67 min`, `5 h`, `3 d`. */
export function showAge(ms: number): string {
  const s = Math.max(ms / 1000, 0)
  if (s < UP_TO * MINUTE_S) return `${Math.round(s)} s`
  if (s < UP_TO * HOUR_S) return `${Math.round(s / MINUTE_S)} min`
  return s < 2 * DAY_S ? `${Math.round(s / HOUR_S)} h` : `${Math.round(s / DAY_S)} d`
}

/** A time to the minute: `2026-11-28 03:12 UTC`. */
export const showTime = (at: Date | string): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** A time to the second: `2026-11-28 03:12:09 UTC`. */
export const showSecond = (at: Date | string): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** A time to come, and how far it is from now: `2026-11-28 03:12:09 UTC, in 30 s`; without that once it is past. */
export function showComing(at: Date | string, now = Date.now()): string {
  const ms = new Date(at).getTime() - now
  return ms > 0 ? `${showSecond(at)}, in ${showAge(ms)}` : showSecond(at)
}

/** A time to the minute on the wall of a zone: `2026-11-28 04:12 Europe/Zurich`. */
export function showTimeIn(at: Date | string, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' })
  return `${parts.format(new Date(at)).replace(',', '')} ${timeZone}`
}
