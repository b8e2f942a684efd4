import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import type { Db } from '../store/postgres/db.ts'
import { releaseStale } from '../store/runs/holds.ts'
import { listWakeable } from '../store/runs/runs.ts'
import type { Waker } from '../core/ports/wake.ts'

/** A run that is due for this long and was not taken may have missed the queue. */
const OVERDUE_MS = 10_000

/** Puts runs into the queue that ought to be there: their producer died in between, the queue was away or lost its memory, or their worker is gone. */
export async function sweep({
  db,
  producer,
  staleAfterMs,
  log,
}: {
  db: Db
  producer: Waker
  staleAfterMs: number
  log: Logger
}): Promise<number> {
  const runs = [...(await listWakeable(db, { olderThanMs: OVERDUE_MS, staleAfterMs })), ...(await releaseStale(db))]
  try {
    await producer.wake(runs)
    return runs.length
  } catch (error) {
    log.warn({ reason: messageOf(error), runs: runs.length }, 'Runs stay queued until the queue answers.')
    return 0
  }
}
