export const MISSED_POLICIES = ['skip', 'last', 'all'] as const
export type MissedPolicy = (typeof MISSED_POLICIES)[number]
export const OVERLAP_POLICIES = ['skip', 'queue'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

export type FireDecision = { at: Date; verdict: 'run' } | { at: Date; verdict: 'skip'; reason: string }

/** A fire found later than this counts as missed: the scheduler ticks every second, so it was not running. */
export const MISSED_AFTER_MS = 60_000
/** The most missed fires that `missed: all` makes up for; older ones are skipped with this reason. */
export const MISSED_CAP = 100

/** Says for each due fire, oldest first, whether it runs or why not. */
export function decideFires(due: readonly Date[], now: Date, missed: MissedPolicy): FireDecision[] {
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
