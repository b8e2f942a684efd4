import type { Logger } from 'pino'
import { clockFault, describeSkew, IN_STEP, type ClockFault } from '../core/rules/schedules/skew.ts'
import { measureSkew } from '../lib/time/skew.ts'
import { loadTime } from '../store/postgres/facts.ts'
import type { Db } from '../store/postgres/db.ts'

export interface ClockWatch {
  /** Compares the clocks anew. Rejects while the store does not answer. */
  measure(): Promise<number>
  /** How far this process's clock was ahead of the store's, in ms, when it was measured last; undefined before. */
  skewMs(): number | undefined
}

/** Compares the clock of this process with the store's, and says it in the log once it differs, or does not any more. */
export function createClockWatch({ db, log }: { db: Db; log: Logger }): ClockWatch {
  let skewMs: number | undefined
  let told: ClockFault | undefined
  return {
    skewMs: () => skewMs,
    async measure() {
      skewMs = await measureSkew(() => loadTime(db))
      const fault = clockFault(skewMs)
      if (fault === told) return skewMs
      told = fault
      if (fault)
        log.warn({ skewMs: Math.round(skewMs), cure: IN_STEP }, `The clock of this process is ${describeSkew(skewMs)} the store’s.`)
      else log.info('The clock of this process agrees with the store’s again.')
      return skewMs
    },
  }
}
