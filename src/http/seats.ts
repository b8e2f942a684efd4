import type { Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'

export interface Seats {
  /** Takes a seat for a caller, until the function that it returns is called. `STREAMS_FULL` when the caller, or all together, have as many as may be. */
  take(caller: Pick<Caller, 'name'>): () => void
}

const RETRY_AFTER_MS = 15_000

/** Bounds the answers that are kept open in this process: `total` of all callers, `perCaller` of one, so that none takes all. */
export function createSeats({ total, perCaller }: { total: number; perCaller: number }): Seats {
  const taken = new Map<string, number>()
  let all = 0
  return {
    take({ name }) {
      const own = taken.get(name) ?? 0
      const full =
        own >= perCaller ? `${name} follows ${own} runs here already.` : all >= total ? `${all} runs are followed here already.` : undefined
      if (full !== undefined) throw new Failure({ code: 'STREAMS_FULL', message: full, retryAfterMs: RETRY_AFTER_MS })
      taken.set(name, own + 1)
      all++
      let isTaken = true
      return () => {
        if (!isTaken) return
        isTaken = false
        all--
        const left = (taken.get(name) ?? 1) - 1
        if (left > 0) taken.set(name, left)
        else taken.delete(name)
      }
    },
  }
}
