import type { Caller } from '../core/caller.ts'
import { Failure } from '../core/failure.ts'

export interface OpenAnswers {
  /** Counts an open answer of a caller until the returned function is called. `STREAMS_FULL` at the limit of the caller, or of all callers together. */
  take(caller: Pick<Caller, 'name'>): () => void
}

const RETRY_AFTER_MS = 15_000

/** Bounds the answers that are kept open in this process: `total` of all callers, `perCaller` of one, so that one caller cannot use them all. */
export function createOpenAnswers({ total, perCaller }: { total: number; perCaller: number }): OpenAnswers {
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
