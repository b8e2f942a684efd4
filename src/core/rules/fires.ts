// Which fires of a schedule run: a paused one, one that was missed, one whose job is still at work. Changes of the clock are decided in schedules/cron.ts.

export const MISSED_POLICIES = ['skip', 'last', 'all'] as const
export type MissedPolicy = (typeof MISSED_POLICIES)[number]
export const OVERLAP_POLICIES = ['skip', 'queue'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

export type FireDecision = { at: Date; verdict: 'run' } | { at: Date; verdict: 'skip'; reason: string }

/** What is known of a schedule when its due fires are decided. */
export interface FireFacts {
  now: Date
  missed: MissedPolicy
  /** Who holds the job, and why. */
  paused?: { by: string; reason: string } | null
}

/** A fire found later than this counts as missed: the scheduler ticks every second, so it was not running. */
export const MISSED_AFTER_MS = 60_000
/** The most missed fires that `missed: all` makes up for; older ones are skipped with this reason. */
export const MISSED_CAP = 100

/** Says for each due fire, oldest first, whether it may run or why not. `decideOverlap` has the last word on those that may. */
export function decideFires(due: readonly Date[], { now, missed, paused }: FireFacts): FireDecision[] {
  if (paused) return due.map((at) => ({ at, verdict: 'skip', reason: `paused by ${paused.by}: ${paused.reason}` }))
  const isMissed = (at: Date) => now.getTime() - at.getTime() > MISSED_AFTER_MS
  const missedCount = due.filter(isMissed).length
  return due.map((at, index): FireDecision => {
    if (!isMissed(at)) return { at, verdict: 'run' }
    const fromEnd = missedCount - index
    switch (missed) {
      case 'skip':
        return { at, verdict: 'skip', reason: 'missed while no scheduler was running (missed: skip)' }
      case 'last':
        return fromEnd === 1 && missedCount === due.length
          ? { at, verdict: 'run' }
          : { at, verdict: 'skip', reason: 'missed while no scheduler was running; a later fire runs instead (missed: last)' }
      case 'all':
        return fromEnd <= MISSED_CAP
          ? { at, verdict: 'run' }
          : {
              at,
              verdict: 'skip',
              reason: `missed while no scheduler was running; more than ${MISSED_CAP} fires were missed (missed: all)`,
            }
    }
  })
}

export type OverlapDecision =
  /** `afterRun` must be over before it is claimed. */
  { verdict: 'run'; afterRun: string | undefined } | { verdict: 'skip'; reason: string }

/** Says whether a fire runs beside `openRun`, the newest run of the job that is not over. The store asks, under the lock of the job's fires. */
export function decideOverlap(decision: FireDecision, openRun: string | undefined, overlap: OverlapPolicy): OverlapDecision {
  if (decision.verdict === 'skip') return { verdict: 'skip', reason: decision.reason }
  if (openRun !== undefined && overlap === 'skip') return { verdict: 'skip', reason: `run ${openRun} was not over (overlap: skip)` }
  return { verdict: 'run', afterRun: openRun }
}
