import type { Logger } from 'pino'
import { describeError } from '../core/failure.ts'
import type { Waker } from '../core/ports/wake.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import type { Db } from '../store/postgres/db.ts'
import { releaseIntoSlots, releaseUnpaused, type ConcurrencyOf } from '../store/runs/holds.ts'
import { listWakeable } from '../store/runs/wakeable.ts'

export interface SweeperOptions {
  db: Db
  producer: Waker
  /** Lease: a running attempt without a heartbeat for this long is handed out again. */
  leaseMs: number
  /** As workers count them; undefined when no limit is set at all. */
  concurrencyOf: ConcurrencyOf | undefined
  log: Logger
}

const SWEEP_EVERY_MS = 5000
/** A run that has been due for this long and was not claimed may not be in the queue. */
const OVERDUE_MS = 10_000
/** One that is due for so long may be in the queue for a later time, by a clock that was wrong: it gets another entry. */
const LATE_MS = 120_000

/**
 * Adds runs to the queue that should be in it: their producer crashed after the commit, the queue was away or lost its data, or the lease of their worker ran
 * out. Because every lost wake is repaired here, no caller waits for the queue. Returns how many runs it found.
 */
export async function sweep({ db, producer, leaseMs, concurrencyOf }: Omit<SweeperOptions, 'log'>): Promise<number> {
  const runs = [
    ...(await listWakeable(db, { olderThanMs: OVERDUE_MS, lateMs: LATE_MS, leaseMs })),
    ...(await releaseUnpaused(db)),
    ...(await releaseIntoSlots(db, concurrencyOf)),
  ]
  producer.wakeSoon(runs)
  return runs.length
}

/** Sweeps every 5 s. */
export function createSweeper({ log, ...about }: SweeperOptions): Poller {
  return createPoller({
    name: 'sweep',
    everyMs: SWEEP_EVERY_MS,
    work: () => sweep(about),
    onFailure: (error) => log.error({ reason: describeError(error) }, 'The sweep failed; it is tried again.'),
  })
}
