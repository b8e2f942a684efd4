import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { describeError } from '../../core/failure.ts'
import type { AttemptRef } from '../../core/run.ts'
import type { Lifecycle } from '../../lib/lifecycle.ts'
import { boardBytes, openBoard } from './board.ts'
import type { WatchdogTask } from './thread.ts'

/** How often the loop says that it turns, at most; and at least so often in a lease. */
const TICK_MS = 1000
const TICKS_PER_LEASE = 12

/** Its extension is that of this file: TypeScript in a checkout, JavaScript in a build. */
const THREAD = new URL(`thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

export interface WatchdogOptions {
  /** The name of the worker, as its attempts say. */
  worker: string
  databaseUrl: string
  /** The lease of a run: a loop that is blocked for longer has lost its runs, and the process is ended. */
  leaseMs: number
  /** Most attempts at a time. */
  slots: number
  log: Logger
}

export interface Watchdog extends Lifecycle {
  /** Names an attempt as under way until it is disposed of. */
  enter(attempt: AttemptRef): Disposable
}

/**
 * A thread that ends the process when its event loop is blocked for longer than the lease, since nothing on the loop can: no deadline, no cancel, no SIGTERM. Whoever
 * started the process starts it again.
 */
export function createWatchdog({ worker, databaseUrl, leaseMs, slots, log }: WatchdogOptions): Watchdog {
  const memory = new SharedArrayBuffer(boardBytes(slots))
  const board = openBoard(memory)
  const tickMs = Math.min(TICK_MS, leaseMs / TICKS_PER_LEASE)
  let thread: Worker | undefined
  let timer: NodeJS.Timeout | undefined
  return {
    enter: (attempt) => board.enter(attempt),
    async start() {
      if (thread) return
      const workerData: WatchdogTask = { memory, worker, databaseUrl, leaseMs, tickMs }
      thread = new Worker(THREAD, { name: 'watchdog', workerData })
      thread.on('error', (error) =>
        log.error({ reason: describeError(error) }, 'The watchdog failed: a blocked event loop would not be noticed.'),
      )
      thread.unref()
      timer = setInterval(() => board.beat(), tickMs)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await thread?.terminate()
    },
  }
}
