import { InvalidArgumentError } from 'commander'
import { durationMs } from '../../lib/duration.ts'

/** A time, or a length of time before now. */
export function parseTime(text: string): Date {
  try {
    return new Date(Date.now() - durationMs(text))
  } catch {
    const time = Date.parse(text)
    if (Number.isNaN(time)) throw new InvalidArgumentError('Write a length of time such as 6h, or a time such as 2026-11-24T07:00:00Z.')
    return new Date(time)
  }
}

/** A length of time, in milliseconds. */
export function parseTimeout(text: string): number {
  return lengthOf(text, '30s or 10m')
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
