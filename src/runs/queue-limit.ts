import { Failure } from '../core/failure.ts'
import type { Db } from '../store/postgres/db.ts'
import { countQueued, type QueuedRuns } from '../store/runs/list.ts'

/** `Retry-After` of a full queue. */
const RETRY_AFTER_MS = 5000
/** How long a count of the queue is reused. What this process queued meanwhile is added. */
const COUNT_MS = 1000

type QueueLimit = <T>(request: { requestedBy: string; startAt?: Date | undefined }, write: () => Promise<T>) => Promise<T>

/** Under this key the runs that may start now are counted; all others under the name of who asked for them. */
const DUE = ''

/**
 * Writes a run unless too many are queued (back-pressure), else throws `QUEUE_FULL`: of runs that a worker could start now, `maxQueued` of all callers together; of
 * those that wait for a time, a pause, a limit or another run, `maxQueued` of each caller. The first protects the workers, the second the store, and one caller's
 * waiting runs do not shut out others.
 */
export function createQueueLimit(db: Db, most: () => number): QueueLimit {
  let counted: Promise<QueuedRuns> = Promise.resolve({ due: 0, waiting: new Map() })
  let countedAt = Number.NEGATIVE_INFINITY
  // What a count may have missed: runs that were being written when it began, and those that were written since.
  const underWay = new Map<string, number>()
  const written = new Map<string, number>()
  const add = (tally: Map<string, number>, key: string, by: number) => tally.set(key, (tally.get(key) ?? 0) + by)
  const missed = (key: string) => (underWay.get(key) ?? 0) + (written.get(key) ?? 0)

  function count(): Promise<QueuedRuns> {
    if (performance.now() - countedAt <= COUNT_MS) return counted
    countedAt = performance.now()
    written.clear()
    counted = countQueued(db)
    // A count that failed is not believed.
    counted.catch(() => (countedAt = Number.NEGATIVE_INFINITY))
    return counted
  }

  return async ({ requestedBy, startAt }, write) => {
    const maxQueued = most()
    const isLater = startAt !== undefined && startAt.getTime() > Date.now()
    const { due, waiting } = await count()
    const wait = (waiting.get(requestedBy) ?? 0) + missed(requestedBy)
    if (wait >= maxQueued)
      throw new Failure({
        code: 'QUEUE_FULL',
        message: `${wait} runs that ${requestedBy} asked for wait for a time, a pause, a limit or another run.`,
        cure: 'Cancel some of them, lift what holds them, or raise api.maxQueued.',
        retryAfterMs: RETRY_AFTER_MS,
      })
    const queued = due + missed(DUE)
    if (!isLater && queued >= maxQueued)
      throw new Failure({ code: 'QUEUE_FULL', message: `${queued} runs are queued.`, retryAfterMs: RETRY_AFTER_MS })
    const key = isLater ? requestedBy : DUE
    add(underWay, key, 1)
    try {
      const result = await write()
      add(written, key, 1)
      return result
    } finally {
      add(underWay, key, -1)
    }
  }
}
