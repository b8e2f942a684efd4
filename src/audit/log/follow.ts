import { watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, Failure } from '../../core/failure.ts'
import type { DutyRecord } from '../../lib/time/duty.ts'
import { loadPosition } from '../../store/audit/events.ts'
import { createLogReader, type ReaderOptions } from './reader.ts'

/** What reads a log as it grows, round by round. */
export interface RoundOptions extends ReaderOptions {
  /** Called after each round with the number of new events. */
  onRound: (added: number) => Promise<void>
  /** Keeps how the rounds end. */
  duty: DutyRecord
}

export interface FollowOptions extends RoundOptions {
  file: string
}

/** Longest time between two rounds, also where the system gives no notice of changes. */
export const LOOK_MS = 1000
/** Between two rounds, at least. */
export const ROUND_MS = 250

/**
 * Reads a log as it grows, from where the last reading stopped, until aborted. A file that is moved away is read to its end before the new one; one
 * that is cut or replaced goes on in its copy, and then from its beginning. The position is kept with the events, so none is lost or doubled.
 */
export async function followLog(options: FollowOptions): Promise<void> {
  const { file, log, signal, onRound, duty } = options
  const path = resolve(file)
  const reader = createLogReader(options, path)
  const known = await loadPosition(options.db, options.name ?? path)
  if (known) await reader.resume(known)
  duty.started()
  let isMissing = false
  while (!signal.aborted) {
    try {
      await onRound(await reader.read())
      if (reader.isOpen()) duty.succeeded()
      else duty.failed(missing(path))
      if (!reader.isOpen() && !isMissing) log.warn({ file }, 'There is no such file yet: lines are read from when there is.')
      isMissing = !reader.isOpen()
    } catch (error) {
      duty.failed(error)
      log.warn({ file, reason: describeError(error) }, 'The log could not be read or kept; it is tried again.')
    }
    // At least ROUND_MS between rounds: each round joins everything that is not explained yet, and a busy log changes all the time.
    await Promise.all([changed(path, signal), sleep(ROUND_MS, undefined, { signal }).catch(() => {})])
  }
  await reader.close()
}

const missing = (path: string) =>
  new Failure({ code: 'COMMAND_INVALID', message: `There is no file ${path}.`, cure: 'Name the file that Pomerium’s log is written to.' })

/** Resolves when the file may have changed: on a notice of the system, or after a second. */
async function changed(path: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    const watcher = watch(dirname(path), { signal: either }, () => stop.abort())
    watcher.on('error', () => {})
  } catch {
    // No file notifications here: the poll interval below is enough.
  }
  await sleep(LOOK_MS, undefined, { signal: either }).catch(() => {})
  stop.abort()
}
