import { Failure } from '../core/failure.ts'
import { fullQueue, shareOf, type Full, type Queued, type QueueLimits } from '../core/rules/queue/share.ts'
import { sentence } from '../lib/text.ts'
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

/** A place in the queue, for a run that is about to be written. */
export interface QueuePlace {
  /** The run was written, or was not. */
  end(isWritten: boolean): void
}

type QueueLimit = (asked: Asked) => Promise<QueuePlace>

type Sort = Full['sort']

/**
 * Gives a run its place unless too many are queued (back-pressure), else throws `QUEUE_FULL`, which says whose share is full: of runs that a worker could start now, which
 * protects the workers, and of those that lie ahead, which protects the store (`core/rules/queue/share.ts`).
 */
export function createQueueLimit(db: Db, limits: () => QueueLimits): QueueLimit {
  let counting: Promise<QueuedRuns[]> = Promise.resolve([])
  let countedAt = Number.NEGATIVE_INFINITY
  // What a count may have missed: runs that were being written when it began, and those that were written since.
  const underWay = createTally()
  const written = createTally()

  function count(): Promise<QueuedRuns[]> {
    if (performance.now() - countedAt <= COUNT_MS) return counting
    countedAt = performance.now()
    written.clear()
    counting = countQueued(db)
    // A count that failed is not believed.
    counting.catch(() => (countedAt = Number.NEGATIVE_INFINITY))
    return counting
  }

  return async ({ requestedBy, job, startAt }) => {
    const isLater = startAt !== undefined && startAt.getTime() > Date.now()
    const counted = await count()
    const rows = [...counted, ...underWay.rows(), ...written.rows()]
    const queued = (sort: Sort): Queued => {
      const sums = { all: 0, ofCaller: 0, ofJob: 0, ofBoth: 0 }
      for (const row of rows) {
        const [isOfCaller, isOfJob] = [row.requestedBy === requestedBy, row.job === job]
        sums.all += row[sort]
        if (isOfCaller) sums.ofCaller += row[sort]
        if (isOfJob) sums.ofJob += row[sort]
        if (isOfCaller && isOfJob) sums.ofBoth += row[sort]
      }
      return sums
    }
    const full = fullQueue(isLater, queued('due'), queued('ahead'), limits())
    if (full) throw refusal(full, { requestedBy, job }, limits())
    const sort: Sort = isLater ? 'ahead' : 'due'
    underWay.add(sort, requestedBy, job, 1)
    return {
      end(isWritten) {
        underWay.add(sort, requestedBy, job, -1)
        if (isWritten) written.add(sort, requestedBy, job, 1)
      },
    }
  }
}

/** Counts of runs by caller and job, as the store counts them. */
function createTally() {
  const rows = new Map<string, QueuedRuns>()
  return {
    clear: () => rows.clear(),
    rows: () => rows.values(),
    add(sort: Sort, requestedBy: string, job: string, by: number) {
      const key = JSON.stringify([requestedBy, job])
      const row = rows.get(key) ?? { requestedBy, job, due: 0, ahead: 0 }
      row[sort] += by
      if (row.due === 0 && row.ahead === 0) rows.delete(key)
      else rows.set(key, row)
    },
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
  return new Failure({
    code: 'QUEUE_FULL',
    message: `${runs} runs${whose} ${what}. ${bound}`,
    cure: sentence(cures.join(', or ')),
    retryAfterMs: RETRY_AFTER_MS[sort],
  })
}
