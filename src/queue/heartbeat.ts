import type { Logger } from 'pino'
import { describeError, Failure } from '../core/failure.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import type { Db, StoreTimeouts } from '../store/postgres/db.ts'
import { cancelRequested, heartbeat } from '../store/runs/heartbeat.ts'

const WATCH_MS = 1000
const BEATS_PER_LEASE = 6
/** A beat that the store does not answer within this time is given up for the next one; of a short lease it is more than a beat. */
const MIN_BEAT_MS = 2000
/** A run claimed less than this ago may not have its attempt row yet: it is not taken for one that another worker took over. */
const OPENING_MS = 5000

/** A run that this process was handed. */
export interface Active {
  runId: string
  queueJobId: string
  abort: AbortController
  /** On the clock of `performance.now()`, which no step of the wall clock moves. */
  since: number
}

/** How long a beat may wait for the store: not for so long that the next one is late. */
export function beatTimeouts(leaseMs: number): StoreTimeouts {
  const beatMs = Math.max(MIN_BEAT_MS, leaseMs / BEATS_PER_LEASE)
  return { connectMs: beatMs, statementMs: beatMs, lockMs: beatMs, idleInTransactionMs: beatMs, answerMs: WATCH_MS }
}

export interface HeartbeatOptions {
  /** A connection of its own (`beatTimeouts`): what else the process asks of the store can take all others. */
  db: Db
  /** The name of the worker, as its attempts say. */
  worker: string
  leaseMs: number
  active: ReadonlySet<Active>
  log: Logger
}

/** Renews the leases of a worker's runs, and ends those that were cancelled or that another worker took over. */
export function createHeartbeat({ db, worker, leaseMs, active, log }: HeartbeatOptions): Poller {
  let lastBeat = Number.NEGATIVE_INFINITY

  async function endCancelled(mine: readonly Active[]): Promise<void> {
    const ids = mine.map(({ runId }) => runId)
    const cancelled = new Set(await cancelRequested(db, ids))
    for (const one of mine)
      if (cancelled.has(one.runId)) one.abort.abort(new Failure({ code: 'CANCELLED', message: 'The run was cancelled.' }))
  }

  /** All runs, also those without an attempt yet: a lease may be shorter than the time to open one. */
  async function renew(mine: readonly Active[]): Promise<void> {
    const gone = new Set(await heartbeat(db, worker, mine))
    for (const one of mine) {
      // A run that was handed out just now may not have opened its attempt yet.
      if (gone.has(one.runId) && active.has(one) && performance.now() - one.since > OPENING_MS)
        one.abort.abort(new Failure({ code: 'WORKER_LOST', message: 'Another worker took the run over.' }))
    }
  }

  return createPoller({
    name: 'heartbeat',
    everyMs: WATCH_MS,
    async work() {
      const mine = [...active]
      if (mine.length === 0) return
      await endCancelled(mine)
      if (performance.now() - lastBeat < leaseMs / BEATS_PER_LEASE) return
      lastBeat = performance.now()
      await renew(mine)
    },
    onFailure: (error) =>
      log.warn(
        { reason: describeError(error) },
        'The leases of the worker’s runs were not renewed, and cancels not seen: the store does not answer.',
      ),
  })
}
