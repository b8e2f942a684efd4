import { Failure } from '../core/failure.ts'
import type { RunStatus } from '../core/run.ts'
import type { Job } from '../jobs/load.ts'
import type { Db } from '../store/postgres/db.ts'
import { insertRunOnce, loadKey, type KeyUse } from '../store/runs/idempotency.ts'
import { countQueued, type QueuedRuns } from '../store/runs/list.ts'
import { newRun, queueRun, requestDigest, wakeOf, type RunParts, type RunRequest } from './create.ts'
import { requireJob, requireStatus } from './require.ts'

/** `Retry-After` of a full queue. */
const RETRY_AFTER_MS = 5000
/** How long a count of the queue is reused. What this process queued meanwhile is added. */
const COUNT_MS = 1000

export interface RunIntake {
  /**
   * Queues a run that a program asks for. With an idempotency key it is queued once for its caller, and the run that the key stands for is returned the next
   * time, whatever became of the job meanwhile: `IDEMPOTENCY_MISMATCH` when that one was asked for otherwise. `JOB_UNKNOWN`, `INPUT_INVALID` for another input,
   * `QUEUE_FULL` when too many runs are queued.
   */
  ask(
    jobs: ReadonlyMap<string, Job>,
    job: string,
    request: RunRequest & { requestedBy: string },
    key: string | undefined,
  ): Promise<{ id: string; status: RunStatus }>
}

/** Accepts runs from programs: with a limit on queued runs (back-pressure), and idempotent where the request has a key. */
export function createRunIntake({ db, producer, maxQueued }: RunParts & { maxQueued: number }): RunIntake {
  const withRoom = createRoom(db, maxQueued)

  /** The run of a key that was used; undefined for a key that is free. */
  async function runOf(use: KeyUse | undefined, digest: string, key: string): Promise<{ id: string; status: RunStatus } | undefined> {
    if (!use) return undefined
    if (use.digest !== digest)
      throw new Failure({ code: 'IDEMPOTENCY_MISMATCH', message: `The Idempotency-Key ${key} stands for another request.` })
    return { id: use.runId, status: (await requireStatus(db, use.runId)).status }
  }

  return {
    async ask(jobs, name, request, key) {
      if (key === undefined) {
        const job = requireJob(jobs, name)
        return { id: await withRoom(request, () => queueRun({ db, producer }, job, request)), status: 'queued' }
      }
      const owned = { owner: request.requestedBy, key, digest: requestDigest(name, request) }
      // A request that is sent again finds its run first, however full the queue is by now, and whatever its job is.
      const again = await runOf(await loadKey(db, owned), owned.digest, key)
      if (again) return again
      const job = requireJob(jobs, name)
      const run = newRun(job, request)
      const use = await withRoom(request, () => insertRunOnce(db, run, job.definition, owned))
      const earlier = await runOf(use, owned.digest, key)
      if (earlier) return earlier
      producer.wakeSoon([wakeOf(run.id, request)])
      return { id: run.id, status: 'queued' }
    },
  }
}

type Room = <T>(request: { requestedBy: string; startAt?: Date | undefined }, write: () => Promise<T>) => Promise<T>

/** Under this key the runs that may start now are counted; all others under the name of who asked for them. */
const DUE = ''

/**
 * Writes a run if there is room for it, else throws `QUEUE_FULL`: of runs that a worker could start now, `maxQueued` of all callers together; of those that wait
 * for a time, a pause, a limit or another run, `maxQueued` of each caller. The first protects the workers, the second the store, and nobody's waiting runs shut
 * out others.
 */
function createRoom(db: Db, maxQueued: number): Room {
  let counted: Promise<QueuedRuns> = Promise.resolve({ due: 0, waiting: new Map() })
  let countedAt = Number.NEGATIVE_INFINITY
  // What a count may have missed: runs that were being written when it began, and those that were written since.
  const underWay = new Map<string, number>()
  const written = new Map<string, number>()
  const add = (tally: Map<string, number>, key: string, by: number) => tally.set(key, (tally.get(key) ?? 0) + by)
  const missed = (key: string) => (underWay.get(key) ?? 0) + (written.get(key) ?? 0)

  function count(): Promise<QueuedRuns> {
    if (Date.now() - countedAt <= COUNT_MS) return counted
    countedAt = Date.now()
    written.clear()
    counted = countQueued(db)
    // A count that failed is not believed.
    counted.catch(() => (countedAt = Number.NEGATIVE_INFINITY))
    return counted
  }

  return async ({ requestedBy, startAt }, write) => {
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
