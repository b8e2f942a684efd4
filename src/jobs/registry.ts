import { watch, type FSWatcher } from 'node:fs'
import type { Logger } from 'pino'
import { describeError } from '../core/failure.ts'
import type { Offer } from './check.ts'
import { loadJobs, loadUnpinned, type Job, type LoadedJobs } from './load.ts'

export interface JobRegistry {
  /** The jobs in force. */
  jobs(): ReadonlyMap<string, Job>
  /** A job as its file says, without its lock file: what can be pinned anew. */
  unpinned(name: string): Job | undefined
  /** Faults of the files as they are now; while there are any, the jobs in force are those from before. */
  issues(): readonly string[]
  /** Reads all files again: all or nothing. True when what they say is in force. */
  reload(): boolean
  /** Follows changes of the directory until `stop`. */
  start(): void
  stop(): void
}

/** Changes within this time are read together: editors write a file in several steps. */
const SETTLE_MS = 200

/** Keeps the jobs of a directory. A change with a fault in any file leaves the earlier jobs in force until it is mended. */
export function createJobRegistry({ dir, offer, log }: { dir: string; offer: Offer; log: Logger }): JobRegistry {
  let inForce: LoadedJobs = loadJobs(dir, offer)
  let issues: readonly string[] = inForce.issues
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined

  function read(): LoadedJobs {
    try {
      return loadJobs(dir, offer)
    } catch (error) {
      return { jobs: inForce.jobs, issues: [describeError(error)] }
    }
  }

  function reload(): boolean {
    const found = read()
    issues = found.issues
    if (issues.length > 0) {
      log.error({ issues }, 'Job files have faults: the jobs from before stay in force.')
      return false
    }
    const changed = [...found.jobs.values()]
      .filter(({ name, version }) => inForce.jobs.get(name)?.version !== version)
      .map(({ name }) => name)
    const gone = [...inForce.jobs.keys()].filter((name) => !found.jobs.has(name))
    inForce = found
    if (changed.length + gone.length > 0) log.info({ changed, gone }, 'Job files were read again.')
    return true
  }

  return {
    jobs: () => inForce.jobs,
    unpinned: (name) => loadUnpinned(dir, name, offer),
    issues: () => issues,
    reload,
    start() {
      if (watcher) return
      const blind = (error: unknown) =>
        log.warn({ reason: describeError(error) }, 'Changes of job files are not noticed; send SIGHUP after one.')
      try {
        watcher = watch(dir, () => {
          clearTimeout(timer)
          timer = setTimeout(reload, SETTLE_MS)
        })
        watcher.on('error', blind)
      } catch (error) {
        blind(error)
      }
      // A file may have changed since it was read.
      reload()
    },
    stop() {
      clearTimeout(timer)
      watcher?.close()
      watcher = undefined
    },
  }
}
