import { write as writeTo, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { workerData } from 'node:worker_threads'
import type { AttemptRef } from '../../core/run.ts'
import { openBoard } from './board.ts'

export interface WatchdogTask {
  memory: SharedArrayBuffer
  worker: string
  databaseUrl: string
  leaseMs: number
  tickMs: number
}

/** Part of a lease after which a blocked loop is noted in the store: sooner than another worker can take its runs over, which is after half a lease. */
const NOTED_AFTER = 1 / 3
/** Longest wait for the store and for whoever reads our last words. */
const LAST_MS = 5000
/** The signal has come by then, if it comes at all. */
const SIGNAL_MS = 500
/** Most run ids in the last words. */
const MAX_NAMED = 100

const task: WatchdogTask = workerData
const board = openBoard(task.memory)

let beats = board.beats()
/** Ticks of this thread without a beat of the loop. A process that was stopped or slept has missed ticks here too, and a clock that was set has none. */
let missed = 0
let noted: readonly AttemptRef[] = []
let writing: Promise<void> | undefined
let ending = false

setInterval(() => {
  if (ending) return
  const now = board.beats()
  missed = now === beats ? missed + 1 : 0
  beats = now
  const blockedMs = missed * task.tickMs
  // A note that could not be written is tried again at the next tick.
  if (blockedMs > task.leaseMs * NOTED_AFTER) {
    if (noted.length === 0) note(board.attempts(), true)
  } else note(noted, false)
  if (blockedMs > task.leaseMs) void end(blockedMs)
}, task.tickMs)

/** One at a time. Without its note, a stall counts as any other death of a worker. */
function note(attempts: readonly AttemptRef[], stalled: boolean): void {
  if (attempts.length === 0) return
  writing ??= write(attempts, stalled)
    .then(() => void (noted = stalled ? attempts : []))
    .catch(() => {})
    .finally(() => (writing = undefined))
}

async function write(attempts: readonly AttemptRef[], stalled: boolean): Promise<void> {
  // Loaded when they are needed: a thread that only counts costs little memory.
  const [{ openDb }, { noteStalled }] = await Promise.all([import('../../store/postgres/db.ts'), import('../../store/attempts/stalled.ts')])
  const db = openDb({ url: task.databaseUrl, max: 1 })
  try {
    await noteStalled(db, attempts, stalled)
  } finally {
    await db.end()
  }
}

async function end(blockedMs: number): Promise<void> {
  ending = true
  await Promise.race([Promise.all([say(blockedMs), writing]), sleep(LAST_MS)])
  // Not process.exit, which ends the thread alone, and not process.abort, whose core dump would hold every secret.
  process.kill(process.pid, 'SIGKILL')
  await sleep(SIGNAL_MS)
  endFirstProcess()
}

/** Straight to the descriptor: a stream of a thread goes through the loop. Not in this thread, which a reader that is stuck would block as well. */
function say(blockedMs: number): Promise<void> {
  const runs = board.attempts().map(({ runId }) => runId)
  const line = {
    level: 60,
    time: new Date().toISOString(),
    code: 'WORKER_STALLED',
    worker: task.worker,
    blockedMs: Math.round(blockedMs),
    runs: runs.slice(0, MAX_NAMED),
    ...(runs.length > MAX_NAMED && { moreRuns: runs.length - MAX_NAMED }),
    msg: 'The event loop was blocked for longer than worker.lockTimeout: the watchdog ends the process, so that it is started again.',
  }
  // oxlint-disable-next-line waits/bounded -- end() waits for it no longer than LAST_MS
  return new Promise((done) => writeTo(2, `${JSON.stringify(line)}\n`, () => done()))
}

/** The first process of a container cannot be killed from within; only a fault of its own ends it. Its memory stays out of a core dump, where the kernel lets it. */
function endFirstProcess(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // A system without it, or that forbids it: to go on blocked is worse.
  }
  setFlagsFromString('--allow-natives-syntax')
  runInThisContext('%SystemBreak()')
}
