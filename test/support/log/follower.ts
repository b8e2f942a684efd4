import { pino } from 'pino'
import { Writable } from 'node:stream'
import { followLog } from '../../../src/audit/log/follow.ts'
import { keepDuty, type DutyRecord } from '../../../src/lib/time/duty.ts'
import type { Db } from '../../../src/store/postgres/db.ts'

export interface Follower extends AsyncDisposable {
  /** New events so far. */
  added: () => number
  warnings: string[]
  duty: DutyRecord
  /** Resolves after the first round or warning after which it holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

/** Follows a log until it is stopped. */
export function startFollower(db: Db, file: string, onRound: () => Promise<unknown> = async () => {}, name?: string): Follower {
  const abort = new AbortController()
  const warnings: string[] = []
  const waiting = new Set<() => Promise<void>>()
  const duty = keepDuty('log', 1000)
  let added = 0
  const stream = new Writable({
    write(chunk, _, done) {
      warnings.push(String(chunk))
      for (const look of waiting) void look()
      done()
    },
  })
  const ended = followLog({
    db,
    file,
    name,
    paramsBytes: 100,
    log: pino({ level: 'warn' }, stream),
    signal: abort.signal,
    duty,
    async onRound(n) {
      added += n
      await onRound()
      for (const look of waiting) await look()
    },
  })
  const stop = async () => {
    abort.abort()
    await ended
  }
  return {
    added: () => added,
    warnings,
    duty,
    until: (holds) =>
      new Promise((done, fail) => {
        const look = async () => {
          if (!(await holds())) return
          waiting.delete(look)
          done()
        }
        waiting.add(look)
        ended.then(() => fail(new Error('it has ended')), fail)
      }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
