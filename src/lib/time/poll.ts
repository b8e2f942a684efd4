import { within } from './deadline.ts'
import { keepDuty, type Duty } from './duty.ts'

export interface PollerOptions {
  /** Name of the duty in metrics and logs, such as `outbox`. */
  name: string
  /** Between the end of a round and the beginning of the next one; the first begins at `start`. */
  everyMs: number
  /** After a round that failed: the wait for the next one, twice as long after each further failure, and `everyMs` at most. `everyMs` when not given. */
  againMs?: number
  /** Rounds begin at multiples of `everyMs` of the clock on the wall, such as at each full second. */
  aligned?: boolean
  /** Does one round. `stop` aborts the signal; a round should then end early where it can. */
  work: (signal: AbortSignal) => Promise<unknown>
  /** Called for each round that failed. The next round comes after `againMs`. */
  onFailure: (error: unknown) => void
  /** How long `stop` waits for the round under way; 10 s when not given. */
  stopMs?: number
}

export interface Poller extends Duty {
  /** Does a round now, or waits for the one under way. Never rejects: `onFailure` gets the error. */
  round(): Promise<void>
  /** Begins a round at once, or as soon as the one under way is over, and waits for nothing. Before `start` and after `stop` it does nothing. */
  wake(): void
}

const STOP_MS = 10_000

/**
 * Does a duty again and again, one round at a time. The interval is a timer, which runs on the monotonic clock: after the
 * clock was set or the machine slept, one round is late by an interval at most, and no rounds are made up for.
 */
export function createPoller({
  name,
  everyMs,
  againMs = everyMs,
  aligned = false,
  work,
  onFailure,
  stopMs = STOP_MS,
}: PollerOptions): Poller {
  const ending = new AbortController()
  const record = keepDuty(name, everyMs)
  let isStarted = false
  let timer: NodeJS.Timeout | undefined
  let under: Promise<void> | undefined
  let wanted = false
  let failed = 0

  async function once(): Promise<void> {
    try {
      await work(ending.signal)
      record.succeeded()
      failed = 0
    } catch (error) {
      // An abort by `stop` does not count as a failure.
      if (ending.signal.aborted) return
      record.failed(error)
      failed++
      onFailure(error)
    }
  }

  function round(): Promise<void> {
    clearTimeout(timer)
    under ??= once().finally(() => {
      under = undefined
      if (isStarted && !ending.signal.aborted) next()
    })
    return under
  }

  const waitMs = () => (failed === 0 ? everyMs : Math.min(everyMs, againMs * 2 ** (failed - 1)))

  function next(): void {
    if (wanted) {
      wanted = false
      void round()
      // oxlint-disable-next-line house/steady-clock -- full seconds are those of the wall clock
    } else timer = setTimeout(() => void round(), aligned ? everyMs - (Date.now() % everyMs) : waitMs())
  }

  return {
    round,
    wake() {
      if (!isStarted || ending.signal.aborted) return
      if (under) wanted = true
      else void round()
    },
    state: () => record.state(),
    async start() {
      if (isStarted || ending.signal.aborted) return
      isStarted = true
      record.started()
      void round()
    },
    async stop() {
      ending.abort()
      clearTimeout(timer)
      if (!under) return
      await within(stopMs, under, () => new Error(`${name} did not stop within ${stopMs / 1000} s`)).catch(onFailure)
    },
  }
}
