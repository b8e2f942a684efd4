import { Failure } from '../core/failure.ts'
import type { RunStatus } from '../core/run.ts'
import type { Job } from '../jobs/load.ts'
import type { Db } from '../store/postgres/db.ts'
import { hasKey } from '../store/runs/idempotency.ts'
import { queueDepth } from '../store/runs/list.ts'
import { createRunOnce, queueRun, wakeOf, type RunParts, type RunRequest } from './create.ts'
import { requireStatus } from './require.ts'

/** `Retry-After` of a full queue. */
const RETRY_AFTER_MS = 5000
/** How long a count of the queue is reused; until then the limit may be passed by the runs that were queued meanwhile. */
const DEPTH_MS = 250

export interface RunIntake {
  /**
   * Queues a run that a program asks for. With an idempotency key it is queued once for its caller, and the run that the key stands for is returned the next
   * time: `IDEMPOTENCY_MISMATCH` when that one was asked for otherwise. `QUEUE_FULL` when too many runs are queued, `INPUT_INVALID` for another input.
   */
  ask(job: Job, request: RunRequest & { requestedBy: string }, key: string | undefined): Promise<{ id: string; status: RunStatus }>
}

/** Accepts runs from programs: with a limit on queued runs (back-pressure), and idempotent where the request has a key. */
export function createRunIntake(options: RunParts & { maxQueued: number }): RunIntake {
  const { db, producer } = options
  const requireRoom = createQueueLimit(options)
  return {
    async ask(job, request, key) {
      if (key === undefined) {
        await requireRoom()
        return { id: await queueRun({ db, producer }, job, request), status: 'queued' }
      }
      const owned = { owner: request.requestedBy, key }
      // A request that is sent again finds its run, however full the queue is by now.
      if (!(await hasKey(db, owned))) await requireRoom()
      const { id, isNew } = await createRunOnce(db, job, request, owned)
      if (!isNew) return { id, status: (await requireStatus(db, id)).status }
      producer.wakeSoon([wakeOf(id, request)])
      return { id, status: 'queued' }
    },
  }
}

/** Throws `QUEUE_FULL` when as many runs are queued as may be. Counts at most every `DEPTH_MS`. */
function createQueueLimit({ db, maxQueued }: { db: Db; maxQueued: number }): () => Promise<void> {
  let depth = Promise.resolve(0)
  let countedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (Date.now() - countedAt > DEPTH_MS) {
      countedAt = Date.now()
      depth = queueDepth(db)
    }
    const queued = await depth
    if (queued >= maxQueued) throw new Failure({ code: 'QUEUE_FULL', message: `${queued} runs are queued.`, retryAfterMs: RETRY_AFTER_MS })
  }
}
