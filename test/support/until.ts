import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 20

/** Asks again until there is something, for what can only be looked at. It has no time-out: that of the test says which test hangs. */
export async function until<T>(ask: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await ask()
    if (found !== undefined && found !== false) return found
    await sleep(EVERY_MS)
  }
}
