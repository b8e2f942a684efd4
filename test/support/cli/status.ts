import type { Pause } from '../../../src/core/rules/schedules/pause.ts'
import type { Status, WholeStatus } from '../../../src/doctor/status/status.ts'

const NOW = Date.parse('2026-11-28T03:00:00Z')

/** So many minutes after the time of the status. */
export const minutes = (after: number): string => new Date(NOW + after * 60_000).toISOString()

export const pause = (job: string): Pause => ({ job, reason: 'the data move', pausedBy: 'ann', pausedAt: '2026-11-27T22:10:00.000Z' })

/** What belongs to no job, with nothing there. */
export const WHOLE: WholeStatus = {
  processes: [],
  configDigest: '',
  duties: [],
  reports: { pending: 0, due: 0, oldestS: 0, failing: [] },
  suspects: [],
  stands: [],
}

/** With nothing there. */
export const CALM: Status = {
  now: minutes(0),
  well: true,
  drained: null,
  pauses: [],
  workers: { atWork: 0, runs: 0, slots: 0, versions: [], heardAgoMs: null, silent: 0, silentAgoMs: null },
  scheduler: { atWork: 0, lookedAt: null },
  runs: [],
  underWay: [],
  ended: { runs: [], isCut: false },
  fires: [],
  next: [],
  whole: WHOLE,
}
