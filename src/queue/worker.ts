import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, UnrecoverableError, type Job } from 'bullmq'
import type { Logger } from 'pino'
import { describeError, Failure, messageOf } from '../core/failure.ts'
import type { Execution } from '../runs/attempt/execution.ts'
import type { Runner } from '../runs/execute.ts'
import type { Db } from '../store/postgres/db.ts'
import { storeFailure } from '../store/postgres/faults.ts'
import { READY_MS, type QueueBackend, type RunData } from './backend.ts'
import { createHeartbeat, type Active } from './heartbeat.ts'
import { within } from '../lib/time/deadline.ts'
import type { Duty } from '../lib/time/duty.ts'
import type { Waker } from '../core/ports/wake.ts'

export interface RunWorkerOptions {
  /** For the heartbeat alone. */
  beats: Db
  backend: QueueBackend
  producer: Waker
  runner: Runner
  /** Of this worker, as its attempts say. */
  name: string
  concurrency: number
  /** The lease of a run: BullMQ's lock, and how old a heartbeat in SQL may be before another worker takes the run over. */
  lockMs: number
  /** How long `stop` lets runs go on before it hands them back. */
  drainMs: () => number
  log: Logger
}

/** Longest wait for the queue to close once every run has been told to end. */
const CLOSE_MS = 5000
/** Longest wait for the queue to take a run back. */
const ANSWER_MS = 5000
/** Wait before a claim is tried again that threw, such as while the store was away. */
const RETRY_CLAIM_MS = 2000
/** The same fault of the queue is not said again for so long. */
const SAID_MS = 10_000
/** How often BullMQ hands a stalled job out again before it fails it. High, since our own rules count lost attempts and a failed job keeps its id. */
const MAX_STALLED = 1000

/**
 * Takes runs from the queue and does them, `concurrency` at a time. Delivery is at least once: the claim in SQL decides who works on a run, and its
 * fencing token who may write.
 */
export function createRunWorker(options: RunWorkerOptions): Duty {
  const { beats, backend, producer, runner, log, lockMs } = options
  const active = new Set<Active>()
  let worker: ReturnType<QueueBackend['worker']> | undefined
  let stopped: Promise<void> | undefined

  async function process(job: Job<RunData, string>, token?: string): Promise<string> {
    const { runId } = job.data
    const queueJobId = job.id ?? runId
    const mine: Active = { runId, queueJobId, abort: new AbortController(), since: performance.now() }
    active.add(mine)
    try {
      const execution = await runner.execute(runId, queueJobId, mine.abort.signal).catch((error: unknown): Execution => {
        // A job that failed would keep its id (deduplication), and no sweep could add the run again.
        log.warn({ runId, reason: describeError(error) }, 'The run could not be begun or ended; it is looked at again.')
        return { kind: 'not-yet', inMs: RETRY_CLAIM_MS }
      })
      return await endQueueJob(job, token, execution)
    } finally {
      // The same queue job may have come back to this process by now: the two are apart.
      active.delete(mine)
    }
  }

  /** Completes, fails or delays the queue job. The returned text is kept with the queue job, for nobody but a debugger. */
  async function endQueueJob(job: Job<RunData, string>, token: string | undefined, execution: Execution): Promise<string> {
    const later = async (ms: number): Promise<never> => {
      // oxlint-disable-next-line house/steady-clock -- BullMQ wants a time; where the clock is wrong, the sweep adds the run once more
      const at = Date.now() + Math.ceil(ms)
      // A queue that does not answer keeps no slot: the job's lock runs out, and it is handed out again.
      await within(ANSWER_MS, job.moveToDelayed(at, token), () => new Error(`it did not answer within ${ANSWER_MS / 1000} s`)).catch(
        (error: unknown) => log.warn({ runId: job.data.runId, reason: describeError(error) }, 'The queue does not take a run back.'),
      )
      throw new DelayedError()
    }
    switch (execution.kind) {
      case 'finished':
        producer.wakeSoon(execution.next)
        if (execution.failure) throw new UnrecoverableError(execution.failure.code)
        return execution.status
      case 'retry':
        producer.wakeSoon(execution.next)
        return `retry at ${execution.at.toISOString()}`
      case 'not-yet':
        return later(execution.inMs)
      case 'busy':
        // Claimed again after the lease: by then the other worker has finished or lost the run.
        return later(lockMs)
      case 'waiting':
      case 'held':
        producer.wakeSoon(execution.next)
        return execution.kind
      case 'lost':
      case 'nothing':
        return execution.kind
    }
  }

  let told: { reason: string; at: number } | undefined
  /** What the queue met; the same at most once in ten seconds, since the worker may ask many times in one. */
  function tell(error: unknown): void {
    const reason = describeError(error)
    if (worker?.closing || (told?.reason === reason && performance.now() - told.at < SAID_MS)) return
    told = { reason, at: performance.now() }
    log.warn({ reason }, 'The queue does not answer; the worker tries again.')
  }

  const heart = createHeartbeat({ db: beats, worker: options.name, leaseMs: lockMs, active, log })

  async function drain(): Promise<void> {
    const running = worker
    if (!running) return
    const closed = running.close()
    const inTime = await Promise.race([closed.then(() => true), sleep(options.drainMs(), false, { ref: false })])
    if (!inTime) {
      log.warn({ runs: active.size }, 'Runs are handed back: they did not end in the time given.')
      for (const one of active)
        one.abort.abort(
          new Failure({ code: 'WORKER_LOST', message: 'The worker was stopped.', cure: 'Nothing is wrong with it: it was asked to end.' }),
        )
      // Bounded, so that a queue that is away does not keep the process: its jobs are handed out again when their locks run out.
      const ended = await Promise.race([closed.then(() => true), sleep(CLOSE_MS, false, { ref: false })])
      if (!ended) await Promise.race([running.close(true), sleep(CLOSE_MS, undefined, { ref: false })])
    }
    // Stopped last: runs that drain still need their heartbeat, and can be cancelled.
    await heart.stop()
  }

  return {
    async start() {
      if (worker) return
      worker = backend.worker(process, {
        concurrency: options.concurrency,
        lockDuration: lockMs,
        stalledInterval: Math.min(30_000, Math.max(1000, lockMs / 2)),
        maxStalledCount: MAX_STALLED,
        drainDelay: 5,
      })
      const running = worker
      running.on('error', tell)
      await heart.start()
      await within(
        READY_MS,
        worker.waitUntilReady(),
        () => new Failure({ code: 'QUEUE_UNAVAILABLE', message: `The queue does not answer the worker within ${READY_MS / 1000} s.` }),
      ).catch((error: unknown) => {
        if (error instanceof Failure) throw error
        const ofStore = backend.kind === 'postgres' ? storeFailure(error) : error
        throw new Failure({
          code: 'QUEUE_UNAVAILABLE',
          message: `The queue does not let the worker begin: ${messageOf(error)}.`,
          cause: error,
          ...(ofStore instanceof Failure && ofStore.cure !== undefined && { cure: ofStore.cure }),
        })
      })
      // It goes on until the worker is closed.
      running.run().catch(tell)
    },
    stop: () => (stopped ??= drain()),
    // oxlint-disable-next-line typescript/unbound-method -- read as a plain function
    state: heart.state,
  }
}
