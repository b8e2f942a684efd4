import { Failure } from '../core/failure.ts'
import type { QueueLimits } from '../core/rules/queue/share.ts'
import type { RunStatus } from '../core/run.ts'
import type { Job } from '../jobs/job.ts'
import type { Wake } from '../core/ports/wake.ts'
import { insertRunsOnce, loadKeys, type IdempotencyKey, type InsertedOnce, type KeyUse } from '../store/runs/idempotency.ts'
import { newRun, requestDigest, wakeOf, type RunParts, type RunRequest } from './create.ts'
import { createQueueLimit, type QueuePlace } from './queue-limit.ts'
import { requireJob } from './lookup.ts'

/** A run that is asked for: of which job, what of it, and the idempotency key, if the request has one. */
export interface Wanted {
  job: string
  request: RunRequest & { requestedBy: string }
  key: string | undefined
}

export interface RunIntake {
  /**
   * Queues a run that a program asks for. With an idempotency key it is queued once for its caller, and the run that the key stands for is returned the next
   * time, whatever became of the job meanwhile: `IDEMPOTENCY_MISMATCH` when that one was asked for otherwise. `JOB_UNKNOWN`, `INPUT_INVALID` for another input,
   * `QUEUE_FULL` when too many runs are queued.
   */
  ask(jobs: ReadonlyMap<string, Job>, job: string, request: Wanted['request'], key: string | undefined): Promise<Asked>
  /** The same of several, with what became of each in their order. Each is taken or refused for itself; no two have the same key of one caller. */
  askAll(jobs: ReadonlyMap<string, Job>, wanted: readonly Wanted[]): Promise<Outcome[]>
}

/** A run that was asked for. */
export interface Asked {
  id: string
  status: RunStatus
  /** It was asked for before, with the same key. */
  replayed: boolean
}

/** What became of one: a run, or why there is none. */
export type Outcome = { asked: Asked } | { error: unknown }

/** One that is about to be written. */
interface Ready {
  at: number
  inserted: InsertedOnce
  place: QueuePlace
}

/** Accepts runs from programs: with a limit on queued runs (back-pressure), and idempotent where the request has a key. */
export function createRunIntake({ db, producer, queueLimits }: RunParts & { queueLimits: () => QueueLimits }): RunIntake {
  const placeFor = createQueueLimit(db, queueLimits)

  /** Those whose key stands for a run are told first, however full the queue is by now, and whatever their job is. */
  async function tellKnown(owned: readonly (IdempotencyKey | undefined)[], outcomes: (Outcome | undefined)[]): Promise<void> {
    const keyed = owned.flatMap((key, at) => (key ? [{ key, at }] : []))
    const uses = await loadKeys(
      db,
      keyed.map(({ key }) => key),
    )
    for (const [index, { key, at }] of keyed.entries()) {
      const use = uses[index]
      if (use) outcomes[at] = replayOf(use, key)
    }
  }

  async function write(ready: readonly Ready[]): Promise<Outcome[]> {
    try {
      const uses = await insertRunsOnce(
        db,
        ready.map(({ inserted }) => inserted),
      )
      return ready.map(({ inserted: { run, key } }, index) => {
        const use = uses[index]
        return use && key ? replayOf(use, key) : { asked: { id: run.id, status: 'queued', replayed: false } }
      })
    } catch (error) {
      // What the store says of all is true of each; what one of them causes is to fail that one alone.
      if (error instanceof Failure || ready.length === 1) return ready.map(() => ({ error }))
      const outcomes: Outcome[] = []
      for (const one of ready) outcomes.push(...(await write([one])))
      return outcomes
    }
  }

  async function askAll(jobs: ReadonlyMap<string, Job>, wanted: readonly Wanted[]): Promise<Outcome[]> {
    const outcomes: (Outcome | undefined)[] = wanted.map(() => undefined)
    const owned = wanted.map(({ job, request, key }, at) => {
      try {
        return key === undefined ? undefined : { owner: request.requestedBy, key, digest: requestDigest(job, request) }
      } catch (error) {
        outcomes[at] = { error }
        return undefined
      }
    })
    await tellKnown(owned, outcomes)
    const ready: Ready[] = []
    for (const [at, { job: name, request }] of wanted.entries()) {
      if (outcomes[at]) continue
      try {
        const job = requireJob(jobs, name)
        const run = newRun(job, request)
        ready.push({ at, inserted: { run, definition: job.kept, key: owned[at] }, place: await placeFor({ ...request, job: name }) })
      } catch (error) {
        outcomes[at] = { error }
      }
    }
    const written = ready.length === 0 ? [] : await write(ready)
    const wakes: Wake[] = []
    for (const [index, { at, inserted, place }] of ready.entries()) {
      const outcome = written[index]
      const isNew = outcome !== undefined && 'asked' in outcome && !outcome.asked.replayed
      place.end(isNew)
      outcomes[at] = outcome
      if (isNew) wakes.push(wakeOf(inserted.run.id, inserted.run))
    }
    if (wakes.length > 0) producer.wakeSoon(wakes)
    return outcomes.map((outcome) => outcome ?? { error: new Error('a run that was asked for has no outcome') })
  }

  return {
    askAll,
    async ask(jobs, job, request, key) {
      const [outcome] = await askAll(jobs, [{ job, request, key }])
      if (outcome && 'asked' in outcome) return outcome.asked
      throw outcome?.error
    },
  }
}

/** What a key stands for, for who asks with it again. */
function replayOf({ digest, runId, status }: KeyUse, asked: IdempotencyKey): Outcome {
  return digest === asked.digest
    ? { asked: { id: runId, status, replayed: true } }
    : { error: new Failure({ code: 'IDEMPOTENCY_MISMATCH', message: `The Idempotency-Key ${asked.key} stands for another request.` }) }
}
