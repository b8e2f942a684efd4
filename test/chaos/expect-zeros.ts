import { expect } from 'vitest'
import type { ChaosReport } from './chaos.ts'

/** What must be zero is, and each line of the gateway's log is joined. `said` is shown where not. */
export function expectZeros({ faults, log, about }: ChaosReport, said: readonly string[]): void {
  expect(faults, [...about, ...said].join('\n')).toEqual({
    lost: 0,
    repeatedSideEffects: 0,
    stuck: 0,
    withoutExit: 0,
    wronglyGreen: 0,
    ownRequests: 0,
  })
  expect(log, about.join('\n')).toMatchObject({ matched: log.events, unexplained: 0, missing: 0 })
}
