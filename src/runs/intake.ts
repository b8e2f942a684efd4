import { Failure } from '../core/failure.ts'
import type { QueueLimits } from '../core/rules/queue/share.ts'
import type { RunStatus } from '../core/run.ts'
import type { Job } from '../jobs/job.ts'
import { insertRunOnce, loadKey, type KeyUse } from '../store/runs/idempotency.ts'
import { newRun, queueRun, requestDigest, wakeOf, type RunParts, type RunRequest } from './create.ts'
import { createQueueLimit } from './queue-limit.ts'
import { requireJob, requireStatus } from './require.ts'

export interface RunIntake {
  /**
   * Queues a run that a program asks for. With an idempotency key it is queued once for its caller, and the run that the key stands for is returned the next
   * time, whatever became of the job meanwhile: `IDEMPOTENCY_MISMATCH` when that one was asked for otherwise. `JOB_UNKNOWN`, `INPUT_INVALID` for another input,
   * `QUEUE_FULL` when too many runs are queued.
   */
  ask(jobs: ReadonlyMap<string, Job>, job: string, request: RunRequest & { requestedBy: string }, key: string | undefined): Promise<Asked>
}

/** A run that was asked for. */
export interface Asked {
  id: string
  status: RunStatus
  /** It was asked for before, with the same key. */
  replayed: boolean
}

/** Accepts runs from programs: with a limit on queued runs (back-pressure), and idempotent where the request has a key. */
export function createRunIntake({ db, producer, queueLimits }: RunParts & { queueLimits: () => QueueLimits }): RunIntake {
  const withinLimit = createQueueLimit(db, queueLimits)

  /** The run of a key that was used; undefined for a key that is free. */
  async function runOf(use: KeyUse | undefined, digest: string, key: string): Promise<Asked | undefined> {
    if (!use) return undefined
    if (use.digest !== digest)
      throw new Failure({ code: 'IDEMPOTENCY_MISMATCH', message: `The Idempotency-Key ${key} stands for another request.` })
    return { id: use.runId, status: (await requireStatus(db, use.runId)).status, replayed: true }
  }

  return {
    async ask(jobs, name, request, key) {
      if (key === undefined) {
        const job = requireJob(jobs, name)
        return {
          id: await withinLimit({ ...request, job: name }, () => queueRun({ db, producer }, job, request)),
          status: 'queued',
          replayed: false,
        }
      }
      const owned = { owner: request.requestedBy, key, digest: requestDigest(name, request) }
      // A request that is sent again finds its run first, however full the queue is by now, and whatever its job is.
      const again = await runOf(await loadKey(db, owned), owned.digest, key)
      if (again) return again
      const job = requireJob(jobs, name)
      const run = newRun(job, request)
      const use = await withinLimit({ ...request, job: name }, () => insertRunOnce(db, run, job.kept, owned))
      const earlier = await runOf(use, owned.digest, key)
      if (earlier) return earlier
      producer.wakeSoon([wakeOf(run.id, request)])
      return { id: run.id, status: 'queued', replayed: false }
    },
  }
}
