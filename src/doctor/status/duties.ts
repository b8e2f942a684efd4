import { dutyFault } from '../../core/duties.ts'
import type { KnownDuty } from '../../store/processes.ts'

/** A duty over all processes that have it. */
export interface DutyStatus {
  duty: string
  processes: number
  /** Of any process; null before the first. */
  succeededAt: string | null
  /** Of any process. */
  fault: 'failing' | 'late' | null
}

/** The duties, each over all processes that have it. */
export function overAll(duties: readonly KnownDuty[]): DutyStatus[] {
  return [...Map.groupBy(duties, ({ duty }) => duty)].map(([duty, those]) => {
    const latest = Math.max(...those.map(({ succeededAt }) => succeededAt?.getTime() ?? 0))
    const faults = those.map(dutyFault)
    return {
      duty,
      processes: those.length,
      succeededAt: latest === 0 ? null : new Date(latest).toISOString(),
      fault: faults.find((fault) => fault === 'failing') ?? faults.find((fault) => fault !== undefined) ?? null,
    }
  })
}
