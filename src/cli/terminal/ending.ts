import { within } from '../../lib/time/deadline.ts'

/** How long a command may take to end by itself after Ctrl-C: what it waits for need not know of that. */
const GRACE_MS = 2000

/** Signals of commands that end in order. */
const inOrder = new WeakSet<AbortSignal>()

/** From now on the command of this signal ends by itself, and is not cut off: it has more to bring to an end than an answer. Each of its waits has to look at the signal or to have a bound. */
export const endsInOrder = (signal: AbortSignal): void => void inOrder.add(signal)

/** What `work` gives. Rejects with the reason of the signal once work goes on for longer than two seconds after it, whatever it waits for. */
export async function untilEnded<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // oxlint-disable-next-line waits/bounded -- it ends with the work
  const cut = Promise.withResolvers<never>()
  const onAbort = () => {
    if (!inOrder.has(signal)) within(GRACE_MS, work, () => signal.reason).catch(cut.reject)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, cut.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
