import { Failure } from '../core/failure.ts'
import { fullQueue, shareOf, type Full, type Queued, type QueueLimits } from '../core/rules/spending/queue-share.ts'
import type { Db } from '../store/postgres/db.ts'
import { countQueued, type QueuedRuns } from '../store/runs/list.ts'

/** `Retry-After` of a full queue: of runs that a worker could start, and of those that lie ahead. */
const RETRY_AFTER_MS = { due: 5000, ahead: 60_000 }
/** How long a count of the queue is reused. What this process queued meanwhile is added. */
const COUNT_MS = 1000

interface Asked {
  requestedBy: string
  job: string
  startAt?: Date | undefined
}

type QueueLimit = <T>(asked: Asked, write: () => Promise<T>) => Promise<T>

type Sort = Full['sort']

/**
 * Writes a run unless too many are queued (back-pressure), else throws `QUEUE_FULL`, which says whose share is full: of runs that a worker could start now, which
 * protects the workers, and of those that lie ahead, which protects the store (`core/rules/spending/queue-share.ts`).
 */
export function createQueueLimit(db: Db, limits: () => QueueLimits): QueueLimit {
  let counted: Promise<QueuedRuns[]> = Promise.resolve([])
  let countedAt = Number.NEGATIVE_INFINITY
  // What a count may have missed: runs that were being written when it began, and those that were written since.
  const underWay = createTally()
  const written = createTally()

  function count(): Promise<QueuedRuns[]> {
    if (performance.now() - countedAt <= COUNT_MS) return counted
    countedAt = performance.now()
    written.clear()
    counted = countQueued(db)
    // A count that failed is not believed.
    counted.catch(() => (countedAt = Number.NEGATIVE_INFINITY))
    return counted
  }

  return async ({ requestedBy, job, startAt }, write) => {
    const isLater = startAt !== undefined && startAt.getTime() > Date.now()
    const rows = await count()
    const queued = (sort: Sort): Queued => {
      const sum = (one: (row: { requestedBy: string; job: string }) => boolean) =>
        rows.reduce((total, row) => total + (one(row) ? row[sort] : 0), 0) + underWay.sum(sort, one) + written.sum(sort, one)
      return {
        all: sum(() => true),
        ofCaller: sum((row) => row.requestedBy === requestedBy),
        ofJob: sum((row) => row.job === job),
        ofBoth: sum((row) => row.requestedBy === requestedBy && row.job === job),
      }
    }
    const full = fullQueue(isLater, queued('due'), queued('ahead'), limits())
    if (full) throw refusal(full, { requestedBy, job }, limits())
    const sort: Sort = isLater ? 'ahead' : 'due'
    underWay.add(sort, requestedBy, job, 1)
    try {
      const result = await write()
      written.add(sort, requestedBy, job, 1)
      return result
    } finally {
      underWay.add(sort, requestedBy, job, -1)
    }
  }
}

/** Counts of runs by sort, caller and job. */
function createTally() {
  const rows = new Map<string, { sort: Sort; requestedBy: string; job: string; runs: number }>()
  return {
    clear: () => rows.clear(),
    add(sort: Sort, requestedBy: string, job: string, by: number) {
      const key = JSON.stringify([sort, requestedBy, job])
      const runs = (rows.get(key)?.runs ?? 0) + by
      if (runs === 0) rows.delete(key)
      else rows.set(key, { sort, requestedBy, job, runs })
    },
    sum: (sort: Sort, one: (row: { requestedBy: string; job: string }) => boolean) =>
      [...rows.values()].reduce((total, row) => total + (row.sort === sort && one(row) ? row.runs : 0), 0),
  }
}

function refusal({ of, sort, runs }: Full, { requestedBy, job }: Asked, limits: QueueLimits): Failure {
  const [key, most] = sort === 'due' ? (['maxQueued', limits.maxQueued] as const) : (['maxAhead', limits.maxAhead] as const)
  const whose = { all: '', caller: ` that ${requestedBy} asked for`, job: ` of job ${job}` }[of]
  const what = sort === 'due' ? 'are queued' : 'are queued for later: they wait for a time, a pause, a limit or another run'
  const bound =
    of === 'all'
      ? `The most is ${most} (api.${key}).`
      : `The most of one ${of} is ${shareOf(most, limits)}: ${limits.sharePercent} % (api.sharePercent) of ${most} (api.${key}).`
  const cures = [
    sort === 'due' ? 'wait as long as Retry-After says, start more workers' : 'cancel some of them, lift what holds them',
    `raise api.${key}${of === 'all' ? '' : ' or api.sharePercent'}`,
  ]
  const cure = `${cures.join(', or ')}.`
  return new Failure({
    code: 'QUEUE_FULL',
    message: `${runs} runs${whose} ${what}. ${bound}`,
    cure: `${cure[0]?.toUpperCase()}${cure.slice(1)}`,
    retryAfterMs: RETRY_AFTER_MS[sort],
  })
}
