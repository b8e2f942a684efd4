// @ts-nocheck
import type { RunView } from '../../../src/core/view.ts'
import type { Progress } from '../../../src/runs/progress.ts'
import type { Db } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'

/** Keeps what the parts under test say of their progress, and waits for it. */
export function watchProgress() {
  const progress: Progress[] = []
  const watchers = new Set<() => void>()

  return {
    progress,
    onProgress(one: Progress): void {
      progress.push(one)
      for (const wake of watchers) wake()
    },
    /** Resolves with the run once one of these events was told of it. */
    async reached(db: Db, runId: string, events: readonly Progress['event'][]): Promise<RunView> {
      const over = () => progress.some((one) => one.runId === runId && events.includes(one.event))
      await new Promise<void>((done) => {
        const look = () => {
          if (!over()) return
          watchers.delete(look)
          done()
        }
        watchers.add(look)
        look()
      })
      const run = await loadRun(db, runId)
      if (!run) throw new Error(`run ${runId} is gone`)
      return run
    },
  }
}
