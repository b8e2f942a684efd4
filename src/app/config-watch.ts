import { isObject } from '../lib/json/object.ts'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { unknownJobs } from '../config/job-names.ts'
import type { Config } from '../config/load.ts'
import { describeError } from '../core/failure.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'

export interface ConfigWatchOptions {
  /** What is in force. */
  config: Config
  /** Reads the file again. Throws `CONFIG_INVALID`. */
  read: () => Config
  /** Names of the jobs that there are. */
  jobs: () => readonly string[]
  /** Who may call the API, from now on. */
  onCallers: (api: NonNullable<Config['api']>) => void
  log: Logger
}

const EVERY_MS = 10_000
/** Remarks on the file, and no key of it. */
const NOTES = 'notes'

/**
 * Reads the configuration file again and again, by its name: a token, user or group of `api:` that was taken out is let in no more. All or nothing: a file with a
 * fault leaves in force what was. Keys that are in force after a restart alone are named in the log once they differ.
 */
export function createConfigWatch({ config, read, jobs, onCallers, log }: ConfigWatchOptions): Poller {
  let seen = config
  let fault: string | undefined
  return createPoller({
    name: 'configuration',
    everyMs: EVERY_MS,
    async work() {
      const now = read()
      fault = undefined
      if (isDeepStrictEqual(now, seen)) return
      const { api } = now
      if (api && config.api && !isDeepStrictEqual(callersOf(api), callersOf(seen.api))) {
        onCallers(api)
        log.info({ tokens: Object.keys(api.tokens) }, 'Who may call the API was read again.')
      }
      const later = differences(withoutCallers(config), withoutCallers(now))
      if (later.length > 0) log.warn({ keys: later }, 'The configuration has changed: these keys are in force after a restart.')
      for (const issue of unknownJobs(now, jobs())) log.warn({ issue }, 'The configuration names a job that there is not.')
      seen = now
    },
    onFailure(error) {
      const found = describeError(error)
      if (found !== fault) log.error({ reason: found }, 'The configuration has a fault: what was in force stays.')
      fault = found
    },
  })
}

const callersOf = (api: Config['api']) => ({ tokens: api?.tokens, users: api?.pomerium?.users, groups: api?.pomerium?.groups })

const withoutCallers = ({ api, ...config }: Config) => ({
  ...config,
  api: api && { ...api, tokens: {}, pomerium: api.pomerium && { ...api.pomerium, users: {}, groups: {} } },
})

/** Keys, and keys of sections, whose values differ. */
function differences(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== NOTES)
  return keys.flatMap((key) => {
    const [one, other] = [before[key], after[key]]
    if (isDeepStrictEqual(one, other)) return []
    return isObject(one) && isObject(other) ? differences(one, other).map((inner) => `${key}.${inner}`) : [key]
  })
}
