import type { FinalStatus } from '../run.ts'

export const DELIVER_WHEN = ['always', 'changed', 'notGreen'] as const
export type DeliverWhen = (typeof DELIVER_WHEN)[number]

/** Where a report goes: the name of a destination, and what that one needs to know. */
export type DeliveryTarget = { kind: string }

/** Says whether a report is sent: always, when its output is not that of the run before (and there is one: a run with nothing new has none), or when it is not green. */
export function decideDelivery(
  when: DeliverWhen,
  run: { status: FinalStatus; nothingNew: boolean; digest: string | undefined; previousDigest: string | undefined },
): boolean {
  switch (when) {
    case 'always':
      return true
    case 'changed':
      return !run.nothingNew && run.digest !== run.previousDigest
    case 'notGreen':
      return run.status !== 'succeeded'
  }
}

const FIRST_MS = 10_000
const MOST_MS = 3 * 3_600_000
/** Tries of a delivery: with the waits below, about a day and a half. */
export const MAX_DELIVERY_TRIES = 22

/** How long a delivery that failed waits for its next try, in ms; `tries` is the number so far. Undefined: given up. */
export function nextDeliveryTry(tries: number, random = Math.random()): number | undefined {
  if (tries >= MAX_DELIVERY_TRIES) return undefined
  return Math.min(FIRST_MS * 2 ** (tries - 1), MOST_MS) * (1 + 0.2 * random)
}
