/** Lets one after the other go on, in the order in which they came. */
export interface Turns {
  /** Resolves when all who came before are done, or when the signal is aborted. The turn is over when it is disposed of. */
  take(signal: AbortSignal): Promise<Disposable>
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return {
    async take(signal) {
      const before = last
      // oxlint-disable-next-line waits/bounded -- it is the caller's own turn, which ends with its work
      const turn = Promise.withResolvers<void>()
      last = before.then(() => turn.promise)
      // oxlint-disable-next-line waits/bounded -- it is the bound
      const aborted = Promise.withResolvers<void>()
      const abort = () => aborted.resolve()
      signal.addEventListener('abort', abort, { once: true })
      if (!signal.aborted) await Promise.race([before, aborted.promise])
      signal.removeEventListener('abort', abort)
      return { [Symbol.dispose]: () => turn.resolve() }
    },
  }
}
