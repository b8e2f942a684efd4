import { setImmediate as turn } from 'node:timers/promises'

/** Turns of the event loop in which what has arrived already is read: each reads the sockets once. */
const TURNS = 20
/** Most values that are taken after the end. */
const MAX_DRAINED = 2000

/**
 * The values of a stream until `signal` is aborted, and then those that have arrived already: what was said before the end is heard, and nothing is waited for. Throws the
 * signal's reason after them. The stream is closed by whoever gave it.
 */
export async function* untilAborted<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]()
  for (let drained = 0; drained < MAX_DRAINED;) {
    const next = iterator.next()
    const got = (signal.aborted ? undefined : await beforeAbort(next, signal)) ?? (await atOnce(next))
    if (signal.aborted) drained++
    if (!got || got.done === true) break
    yield got.value
  }
  signal.throwIfAborted()
}

/** What the promise gives; undefined when the signal is aborted first. */
async function beforeAbort<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  // oxlint-disable-next-line waits/bounded -- the signal ends it
  const aborted = Promise.withResolvers<undefined>()
  const onAbort = () => aborted.resolve(undefined)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([next, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What the promise gives without waiting for anything outside; undefined when that is nothing. */
async function atOnce<T>(next: Promise<T>): Promise<T | undefined> {
  const come: Promise<T>[] = []
  const arrive = () => void come.push(next)
  next.then(arrive, arrive)
  for (let n = 0; n < TURNS && come.length === 0; n++) await turn()
  return come[0]
}
