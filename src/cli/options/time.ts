import { InvalidArgumentError, type Command } from 'commander'
import { z } from 'zod'
import { durationMs, MAX_TIMER_MS } from '../../lib/duration.ts'
import { foreignTime, isKnownTime } from '../../lib/time/foreign.ts'

const timeSchema = foreignTime.or(z.iso.date().refine(isKnownTime))

/** A length of time before now, a time of RFC 3339 with its zone, or a date, which begins at midnight UTC. Nothing else: what a filter means must not be guessed. */
export function parseTime(text: string): Date {
  try {
    const at = new Date(Date.now() - durationMs(text))
    return at.getTime() < 0 ? new Date(0) : at
  } catch {
    if (!timeSchema.safeParse(text).success)
      throw new InvalidArgumentError(
        'Write a length of time such as 6h or 7d, a time with its zone such as 2026-11-24T07:00:00Z, or a date such as 2026-11-24 (UTC).',
      )
    return new Date(text)
  }
}

/** A time for people, in UTC. */
export const timeText = (at: Date): string => at.toISOString().replace('.000Z', 'Z')

/** What the times of a command line, of the command and of those above it, were understood as: a line for each, to be said before anything is done. */
export function understoodTimes(command: Command): string[] {
  const own = command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName())
    const isGiven = command.getOptionValueSource(option.attributeName()) !== 'default'
    return option.parseArg === parseTime && isGiven && value instanceof Date ? [`${option.long} is ${timeText(value)}.`] : []
  })
  return command.parent === null ? own : [...understoodTimes(command.parent), ...own]
}

/** A length of time, in milliseconds. */
export function parseTimeout(text: string): number {
  const timeoutMs = lengthOf(text, '30s or 10m')
  if (timeoutMs > MAX_TIMER_MS) throw new InvalidArgumentError('The most is 24d.')
  return timeoutMs
}

const MIN_LIFE_MS = 1000

/** How long an account lives, in milliseconds. */
export function parseLife(text: string): number {
  const lifeMs = lengthOf(text, '12h or 90d')
  if (lifeMs < MIN_LIFE_MS) throw new InvalidArgumentError('An account lives a second at least.')
  return lifeMs
}

function lengthOf(text: string, such: string): number {
  try {
    return durationMs(text)
  } catch {
    throw new InvalidArgumentError(`Write a length of time such as ${such}.`)
  }
}
