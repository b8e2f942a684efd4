import { z } from 'zod'

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const PATTERN = /^(\d+)(ms|s|m|h|d)$/

/** A hundred years: dates and stores hold it. */
const LONGEST_MS = 36_500 * UNIT_MS.d
const TOO_LONG = 'is too long; the most is 36500d'

/** A length of time as people write it (`500ms`, `30s`, `10m`, `2h`, `7d`) in milliseconds, up to a hundred years. Throws on anything else. */
export function durationMs(text: string): number {
  const ms = msOf(text)
  if (ms === undefined) throw new Error(`${text} is not a duration`)
  if (ms > LONGEST_MS) throw new Error(`${text} ${TOO_LONG}`)
  return ms
}

function msOf(text: string): number | undefined {
  const [, amount, unit] = PATTERN.exec(text) ?? []
  return amount === undefined || !isUnit(unit) ? undefined : Number(amount) * UNIT_MS[unit]
}

const isUnit = (unit: string | undefined): unit is keyof typeof UNIT_MS => unit !== undefined && unit in UNIT_MS

/** Timers cannot be longer: they would go off at once. */
export const MAX_TIMER_MS = 24 * UNIT_MS.d

/** What is wrong with a text that is no duration. A number alone is told with the units that are likely, the likeliest first. */
const fault =
  (form: string, likely: readonly (keyof typeof UNITS)[]) =>
  ({ input }: { input?: unknown }): string => {
    const amount = typeof input === 'number' ? String(input) : input
    if (typeof amount !== 'string' || !/^\d{1,9}$/.test(amount)) return form
    return `has no unit; write ${likely.map((unit) => `${amount}${unit} for ${UNITS[unit]}`).join(', or ')}`
  }
const UNITS = { s: 'seconds', m: 'minutes', h: 'hours', d: 'days' }

const FORM = fault('is not a duration; write a number and ms, s, m, h or d, such as 30s or 10m', ['s', 'm', 'h'])
const written = z.string({ error: FORM }).regex(PATTERN, { abort: true, error: FORM })

/** Zod type for a duration of at least `least` that is kept as it was written. A shorter one would end, or repeat, all work at once. */
export const durationText = (least: string) =>
  written
    .refine((text) => (msOf(text) ?? 0) <= MAX_TIMER_MS, { abort: true, error: 'is too long; the most is 24d' })
    .refine((text) => durationMs(text) >= durationMs(least), `is too short; the least is ${least}`)
    .meta({ least, most: '24d' })

/** Zod type for a duration of at least `least`: text in, milliseconds out. */
export const duration = (least: string) => durationText(least).transform(durationMs)

const FOREVER = 'forever'
const OR_FOREVER = fault(`is not a duration; write a number and ms, s, m, h or d, such as 30d, or ${FOREVER}`, ['d', 'h'])

/** Zod type for the age of something kept, which no timer waits for, of at least `least`: text in, milliseconds out; `forever` is undefined. */
export const age = (least: string) =>
  z
    .string({ error: OR_FOREVER })
    .regex(/^(\d+)(ms|s|m|h|d)$|^forever$/, { abort: true, error: OR_FOREVER })
    .refine((text) => (msOf(text) ?? 0) <= LONGEST_MS, { abort: true, error: TOO_LONG })
    .refine((text) => text === FOREVER || durationMs(text) >= durationMs(least), `is too short; the least is ${least}`)
    .meta({ least, most: '36500d' })
    .transform((text) => (text === FOREVER ? undefined : durationMs(text)))
