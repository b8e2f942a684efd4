// @ts-nocheck
import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import type { Waker } from '../core/ports/wake.ts'
import { createPoller, type Poller } from '../lib/poll.ts'
import type { Db } from '../store/postgres/db.ts'
import { releaseStale } from '../store/runs/holds.ts'
import { listWakeable } from '../store/runs/wakeable.ts'

export interface SweeperOptions {
  db: Db
  producer: Waker
  /** A running attempt whose lease was not renewed for this long is handed out again. */
  staleAfterMs: number
  log: Logger
}

const SWEEP_EVERY_MS = 5000
/** A run that is due for this long and was not taken may have missed the queue. */
const OVERDUE_MS = 10_000

/**
 * Puts runs into the queue that ought to be there: their producer died in between, the queue was away or lost its memory, or the lease of their worker
 * ran out. It makes up for every wake that was lost, so nobody has to wait for the queue to have taken one. Returns how many it found.
 */
export async function sweep({ db, producer, staleAfterMs }: Omit<SweeperOptions, 'log'>): Promise<number> {
  const runs = [...(await listWakeable(db, { olderThanMs: OVERDUE_MS, staleAfterMs })), ...(await releaseStale(db))]
  producer.wakeSoon(runs)
  return runs.length
}

/** Sweeps every 5 s. */
export function createSweeper({ log, ...about }: SweeperOptions): Poller {
  return createPoller({
    name: 'sweep',
    everyMs: SWEEP_EVERY_MS,
    work: () => sweep(about),
    onFailure: (error) => log.error({ reason: messageOf(error) }, 'The sweep failed; it is tried again.'),
  })
}
