import { deadlineSignal } from '../lib/time/deadline.ts'

/** Runs work once its server has a free slot, over all runs of this process. */
export type Slot = <T>(work: () => Promise<T>) => Promise<T>

const LATE = new Error('no slot in time')

/**
 * Runs the work once there is a slot, and gives undefined without running it when none is free after `waitMs`. Throws the signal's reason when that ends the wait. Work
 * that began is not ended: it has a signal of its own.
 */
export async function whenFree<T>(
  slot: Slot,
  work: () => Promise<T>,
  { signal, waitMs }: { signal: AbortSignal; waitMs: number },
): Promise<T | undefined> {
  using limited = deadlineSignal(signal, waitMs, () => LATE)
  // oxlint-disable-next-line waits/bounded -- it is the bound
  const ended = Promise.withResolvers<never>()
  const state: { is: 'waiting' | 'begun' | 'over' } = { is: 'waiting' }
  const stop = () => {
    if (state.is === 'begun') return
    state.is = 'over'
    ended.reject(limited.signal.reason)
  }
  limited.signal.addEventListener('abort', stop, { once: true })
  if (limited.signal.aborted) stop()
  const run = slot(async () => {
    if (state.is === 'over') return undefined
    state.is = 'begun'
    return work()
  })
  try {
    return await Promise.race([run, ended.promise])
  } catch (error) {
    if (error === LATE) return undefined
    throw error
  }
}
