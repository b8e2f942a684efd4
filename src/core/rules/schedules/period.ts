// Which stretch of time a scheduled job reports on. It ends where the fire's own day, week or month begins, by the zone's clock, or at the fire itself.
import { inZone } from '../../../lib/time/zoned.ts'

export const PERIODS = ['day', 'week', 'month', 'since-last-green'] as const
export type PeriodKind = (typeof PERIODS)[number]

/** Half open: `from` belongs to it, `to` does not. */
export interface Period {
  from: Date
  to: Date
}

export interface PeriodFacts {
  fireTime: Date
  timezone: string
  /** Fire of the latest green run before; where there was none, the fire before. */
  since: Date | undefined
}

/** The whole day, week (from Monday) or month before the one that the fire is in, or the time since a green run. Undefined when that is not known. */
export function periodOf(kind: PeriodKind, { fireTime, timezone, since }: PeriodFacts): Period | undefined {
  if (kind === 'since-last-green') return since && { from: since, to: fireTime }
  const today = inZone(fireTime, timezone).startOfDay()
  const to =
    kind === 'day'
      ? today
      : kind === 'week'
        ? today.subtract({ days: today.dayOfWeek - 1 }).startOfDay()
        : today.with({ day: 1 }).startOfDay()
  const from = to.subtract({ [`${kind}s`]: 1 }).startOfDay()
  return { from: new Date(from.epochMilliseconds), to: new Date(to.epochMilliseconds) }
}
