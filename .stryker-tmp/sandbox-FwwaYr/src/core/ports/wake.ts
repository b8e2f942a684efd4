/** A run that the queue should hand to a worker. */
// @ts-nocheck

export interface Wake {
  id: string
  /** Attempts and holds so far. Each round is another queue entry, so that adding one twice is adding it once (deduplication by id). */
  round: number
  priority?: number | undefined
  /** Null, or not given: now. */
  at?: Date | null | undefined
}

/** Puts runs into the queue. SQL has the truth; a wake that is lost is made up for by the sweep. */
export interface Waker {
  /** Rejects with `QUEUE_UNAVAILABLE`, after some seconds at the latest; the runs are then added by the sweep. */
  wake(wakes: readonly Wake[]): Promise<void>
  /** The same for callers whose run is safe in SQL already, which is nearly all: nobody waits for the queue, and one that is away is logged. */
  wakeSoon(wakes: readonly Wake[]): void
}

/** The wake of a run that was made just now. */
export const firstWake = (id: string, priority?: number, at?: Date | null): Wake => ({ id, round: 0, priority, at })
