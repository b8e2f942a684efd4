import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { digestOf } from '../../config/digest.ts'
import type { Config } from '../../config/load.ts'
import { placesOf } from '../../config/places.ts'
import { differences, inForce } from '../../config/takes.ts'
import type { ConfigState } from '../../core/ports/config-state.ts'
import { describeError } from '../../core/failure.ts'
import { createPoller, type Poller } from '../../lib/time/poll.ts'

export interface LiveConfigOptions {
  /** What the process was built with. */
  config: Config
  /** Reads the file again. Throws `CONFIG_INVALID`. */
  read: () => Config
  /** Puts it in force, or throws and leaves in force what was. */
  replace: (config: Config) => void
  /** What is told once it is in force. */
  onChange: (config: Config) => void
  /** Reads the job files again, which are held against it; `refresh` and `checkNames` are called meanwhile, before and after. */
  reloadJobs: () => void
  /** Names in it that stand for nothing, a line each. */
  loose: (config: Config) => readonly string[]
  log: Logger
}

export interface LiveConfig {
  /** Reads the file again, by its name: all of it is in force, or nothing. It throws nothing; a fault is told once, and kept. In a round of `watch`, which has read it, it does nothing. */
  refresh: () => void
  /** Tells of names in it that stand for nothing: once the jobs are those that were read with it. */
  checkNames: () => void
  /** Refreshes every ten seconds, and when it is woken. */
  watch: Poller
  state: () => ConfigState
}

const EVERY_MS = 10_000

/**
 * Keeps in force what the file says. What takes a restart is named in the log once it differs, until the restart; a file with a fault leaves in force what was.
 */
export function createLiveConfig({ config: started, read, replace, onChange, reloadJobs, loose, log }: LiveConfigOptions): LiveConfig {
  let seen = started
  /** The file as it was read last without a fault. */
  let good = started
  let later: readonly string[] = []
  let told: readonly string[] = []
  let fault: string | undefined
  let isRead = false

  /** Whether something else is in force than before. */
  function look(): boolean {
    const now = read()
    const isOther = !isDeepStrictEqual(now, seen)
    if (isOther) {
      const next = inForce(started, now)
      const changed = differences(inForce(started, seen), next)
      replace(next)
      const waiting = differences(next, now)
      if (changed.length > 0) log.info({ keys: changed }, 'The configuration was read again: these keys are in force.')
      if (waiting.length > 0 && !isDeepStrictEqual(waiting, later))
        log.warn({ keys: waiting }, 'The configuration has changed: these keys are in force after a restart.')
      later = waiting
      seen = now
      onChange(next)
    }
    good = now
    if (fault !== undefined) log.info('The configuration has no fault any more.')
    fault = undefined
    return isOther
  }

  function checkNames(): void {
    const issues = loose(good)
    for (const issue of issues) if (!told.includes(issue)) log.warn({ issue }, 'The configuration names what there is not.')
    told = issues
  }

  const note = (error: unknown) => {
    const found = describeError(error)
    if (found !== fault) log.error({ reason: found }, 'The configuration has a fault: what was in force stays.')
    fault = found
  }

  return {
    checkNames,
    refresh() {
      if (isRead) return
      try {
        look()
      } catch (error) {
        note(error)
      }
    },
    watch: createPoller({
      name: 'configuration',
      everyMs: EVERY_MS,
      async work() {
        if (!look()) return checkNames()
        isRead = true
        try {
          reloadJobs()
        } finally {
          isRead = false
        }
      },
      onFailure: note,
    }),
    state: () => ({ file: placesOf(started)?.file, digest: digestOf(good), waiting: later, fault }),
  }
}
