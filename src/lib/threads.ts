import pLimit from 'p-limit'
import { Piscina } from 'piscina'

/** Until a thread is there. */
const START_MS = 20_000
/** An idle thread ends after this time, and its memory with it. */
const IDLE_MS = 10_000

export interface ThreadOptions {
  /** Address of the module, whose export `name` does a task; without one it says that the thread is there. */
  file: string
  name: string
  /** What it may have on its heap; with what it needs beside that, less than twice as much. The young part is not counted in the old one, and grows by itself. */
  memoryMb: { old: number; young: number }
  /** Longest task. */
  limitMs: number
}

/** Undefined: it took too much time or memory. */
export type Thread<Task, Answer> = (task: Task) => Promise<Answer | undefined>

/**
 * A thread for work on foreign text, one task at a time, which is ended when a task takes too long or too much memory: the event loop, on which heartbeats, deadlines and other
 * runs depend, never waits for it. A task gives undefined then.
 */
export function createThread<Task, Answer>({ file, name, memoryMb, limitMs }: ThreadOptions): Thread<Task, Answer> {
  const oneByOne = pLimit(1)
  let pool: Piscina<Task | undefined, Answer | undefined> | undefined
  return (task) =>
    oneByOne(async () => {
      pool ??= new Piscina({
        filename: file,
        name,
        minThreads: 0,
        maxThreads: 1,
        idleTimeout: IDLE_MS,
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: memoryMb.old, maxYoungGenerationSizeMb: memoryMb.young },
      })
      try {
        // The start of the thread is no part of the task.
        await pool.run(undefined, { signal: AbortSignal.timeout(START_MS) })
        return await pool.run(task, { signal: AbortSignal.timeout(limitMs) })
      } catch {
        return undefined
      }
    })
}
