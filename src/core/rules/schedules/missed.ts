// Which due fires of a schedule run: those of a job that is paused or cannot run by itself do not, and of those that were missed some are made up for.
// Changes of the clock are decided in lib/time/cron.ts.

import type { Trigger } from '../../run.ts'

export const MISSED_POLICIES = ['skip', 'last', 'all'] as const
export type MissedPolicy = (typeof MISSED_POLICIES)[number]

export type FireDecision =
  /** `madeUp`: it was missed and runs late, because of `missed: all`. */
  { at: Date; verdict: 'run'; madeUp: boolean } | { at: Date; verdict: 'skip'; reason: string }

/** Due fires: the latest one by one, oldest first, and a count of older ones. */
export interface Due {
  fires: readonly Date[]
  /** Fires that are too many to be looked at one by one. `count` is counted up to a limit, `more` when there are others beyond it. */
  older?: { first: Date; count: number; more: boolean } | undefined
}

/** What is known of a schedule when its due fires are decided. */
export interface FireFacts {
  now: Date
  missed: MissedPolicy
  /** Who holds the job, and why. */
  paused?: { by: string; reason: string } | null
  /** Why the job cannot run by itself, such as an input that it needs. */
  unfit?: string | undefined
}

/** A fire found later than this counts as missed: the scheduler ticks every second, so it was not running. */
export const MISSED_AFTER_MS = 60_000
/** The most missed fires that `missed: all` makes up for; older ones are skipped with this reason. */
export const MISSED_CAP = 100

/** Says for each due fire, oldest first, whether it may run or why not; older ones get one decision together. `decideOverlap` has the last word on those that may. */
export function decideFires({ fires, older }: Due, facts: FireFacts): FireDecision[] {
  const { now, missed, paused, unfit } = facts
  const skipAll = paused ? `paused by ${paused.by}: ${paused.reason}` : unfit
  const together: FireDecision[] = older
    ? [
        {
          at: older.first,
          verdict: 'skip',
          reason: `${skipAll ?? 'missed while no scheduler was running'}; so were ${older.more ? 'more than ' : ''}${older.count - 1} later fires, which have no row of their own`,
        },
      ]
    : []
  if (skipAll !== undefined) return [...together, ...fires.map((at): FireDecision => ({ at, verdict: 'skip', reason: skipAll }))]
  const isMissed = (at: Date) => now.getTime() - at.getTime() > MISSED_AFTER_MS
  const missedCount = fires.filter(isMissed).length
  const decisions = fires.map((at, index): FireDecision => {
    if (!isMissed(at)) return { at, verdict: 'run', madeUp: false }
    const fromEnd = missedCount - index
    switch (missed) {
      case 'skip':
        return { at, verdict: 'skip', reason: 'missed while no scheduler was running (missed: skip)' }
      case 'last':
        return fromEnd === 1 && missedCount === fires.length
          ? { at, verdict: 'run', madeUp: false }
          : { at, verdict: 'skip', reason: 'missed while no scheduler was running; a later fire runs instead (missed: last)' }
      case 'all':
        return fromEnd <= MISSED_CAP
          ? { at, verdict: 'run', madeUp: true }
          : {
              at,
              verdict: 'skip',
              reason: `missed while no scheduler was running; more than ${MISSED_CAP} fires were missed (missed: all)`,
            }
    }
  })
  return [...together, ...decisions]
}

/** What a run comes from, in a word: a fire on time, one that was made up for, one of a backfill, a person or program, a retry by an operator. */
export const OCCASIONS = ['schedule', 'missed', 'backfill', 'manual', 'retry'] as const
export type Occasion = (typeof OCCASIONS)[number]

/** Names what a run comes from. `conversation` counts from 1; each retry by an operator begins another one. */
export function occasionOf({ trigger, createdAt, conversation }: { trigger: Trigger; createdAt: Date; conversation: number }): Occasion {
  if (conversation > 1) return 'retry'
  if (trigger.kind !== 'schedule') return 'manual'
  if (trigger.backfill) return 'backfill'
  return createdAt.getTime() - Date.parse(trigger.fireAt) > MISSED_AFTER_MS ? 'missed' : 'schedule'
}
