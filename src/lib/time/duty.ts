import type { Lifecycle } from '../lifecycle.ts'

/** The state of a background duty. Times are ages in ms on the monotonic clock, so that nobody is misled by a wall clock that was set. */
export interface DutyState {
  name: string
  /** Most time between the end of a round and the beginning of the next one. */
  everyMs: number
  /** Undefined: not started in this process. */
  startedAgoMs: number | undefined
  /** Since its last round that ended well; undefined before the first one did. */
  succeededAgoMs: number | undefined
  /** Rounds that failed since the process began. */
  failures: number
  /** The last round that failed. */
  failed: { agoMs: number; error: unknown } | undefined
}

/** A background duty with its state. */
export interface Duty extends Lifecycle {
  state(): DutyState
}

/** Keeps the state of a duty. */
export interface DutyRecord {
  started(): void
  succeeded(): void
  failed(error: unknown): void
  state(): DutyState
}

/** The state of a duty that begins a round each `everyMs` at the latest. */
export function keepDuty(name: string, everyMs: number): DutyRecord {
  let startedAt: number | undefined
  let succeededAt: number | undefined
  let failedAt: { at: number; error: unknown } | undefined
  let failures = 0
  const ago = (at: number | undefined) => (at === undefined ? undefined : performance.now() - at)
  return {
    started: () => void (startedAt ??= performance.now()),
    succeeded: () => void (succeededAt = performance.now()),
    failed(error) {
      failures++
      failedAt = { at: performance.now(), error }
    },
    state: () => ({
      name,
      everyMs,
      startedAgoMs: ago(startedAt),
      succeededAgoMs: ago(succeededAt),
      failures,
      failed: failedAt && { agoMs: performance.now() - failedAt.at, error: failedAt.error },
    }),
  }
}
