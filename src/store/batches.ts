/** How long one statement of upkeep is to hold what it locks: whoever wants one of its rows waits no longer. */
const AIM_MS = 25
const FIRST = 100
const MOST = 2000

/**
 * Does work a batch at a time until one is smaller than it may be. `change` is told how many rows it may change, in a statement of its own, and says how many it
 * did. A batch that took long makes the next one smaller.
 */
export async function inBatches(change: (most: number) => Promise<number>, signal?: AbortSignal): Promise<void> {
  for (let most = FIRST; ;) {
    signal?.throwIfAborted()
    const began = performance.now()
    if ((await change(most)) < most) return
    const fitting = (most * AIM_MS) / (performance.now() - began)
    most = Math.ceil(Math.min(fitting, most * 2, MOST))
  }
}
