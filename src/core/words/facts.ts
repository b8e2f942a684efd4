// The line of facts in front of a prompt: what the model cannot know. Written once for a conversation and kept, so that an attempt after a crash says the same.
import { inZone } from '../../lib/time/zoned.ts'
import type { Occasion } from '../rules/schedules/missed.ts'
import type { Period } from '../rules/schedules/period.ts'

const OCCASIONS: Record<Occasion, string> = {
  schedule: 'a scheduled fire',
  missed: 'a missed fire that is made up for',
  backfill: 'a past fire that is made up for by hand',
  manual: 'asked for by hand or by another program',
  retry: 'a retry of a run that did not succeed',
}

export interface RunFacts {
  job: string
  occasion: Occasion
  /** The scheduled time; undefined for a run that was asked for. */
  fireAt: Date | undefined
  previousFire: Date | undefined
  period: Period | undefined
  /** When the conversation began. */
  now: Date
  timezone: string
  turns: number
  toolCalls: number
  /** As the job says it, such as 10m. */
  deadline: string
}

/** Dates are written in the job's zone, with the weekday and the ISO week. */
export function factsText({ job, occasion, fireAt, previousFire, period, now, timezone, turns, toolCalls, deadline }: RunFacts): string {
  const at = (date: Date) => dateText(date, timezone)
  const facts = [
    `Job ${job}, ${OCCASIONS[occasion]}.`,
    fireAt && `Fire: ${at(fireAt)}.`,
    previousFire && `The fire before: ${at(previousFire)}.`,
    period && `Period: from ${at(period.from)} until ${at(period.to)}.`,
    `Now: ${at(now)}.`,
  ]
  return `${facts.filter(Boolean).join(' ')}\nYou may answer ${turns} times and call tools ${toolCalls} times, within ${deadline}.`
}

/** With the year of the week where that is another one, and the offset where the clock shows the time twice. */
function dateText(at: Date, timezone: string): string {
  const zoned = inZone(at, timezone)
  const weekday = zoned.toLocaleString('en', { weekday: 'long' })
  const time = zoned.toPlainTime().toString({ smallestUnit: 'minute' })
  const plain = zoned.toPlainDateTime()
  const isTwice = !plain
    .toZonedDateTime(timezone, { disambiguation: 'earlier' })
    .equals(plain.toZonedDateTime(timezone, { disambiguation: 'later' }))
  const week =
    zoned.yearOfWeek === zoned.year ? `week ${zoned.weekOfYear ?? ''}` : `week ${zoned.weekOfYear ?? ''} of ${zoned.yearOfWeek ?? ''}`
  return `${weekday} ${zoned.toPlainDate().toString()} ${time}${isTwice ? zoned.offset : ''} ${timezone} (${week})`
}
