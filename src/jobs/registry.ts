import { readdirSync, realpathSync, statSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { describeError } from '../core/failure.ts'
import type { Offer } from './check.ts'
import { createJobLoader, fileStamp, type LoadedJobs } from './directory.ts'
import type { Job } from './job.ts'
import { loadUnpinned } from './load.ts'

export interface JobRegistry {
  /** The jobs in force. */
  jobs(): ReadonlyMap<string, Job>
  /** A job as its file says, without its lock file: what can be pinned anew. */
  unpinned(name: string): Job | undefined
  /** Faults of the files as they are now; while there are any, the jobs in force are those from before. */
  issues(): readonly string[]
  /** Reads the files that changed again: all or nothing. True when what they say is in force. */
  reload(): boolean
  /** Follows changes of the directory until `stop`. */
  start(): void
  stop(): void
}

/** An editor writes a file in several steps. */
const SETTLE_MS = 200
/** Steps that do not end put a change off no longer. */
const MOST_SETTLE_MS = 1000
/** How often it is looked whether the directory is still the one that is watched: a watch stays on what was moved away, and a system may forget to tell. */
const LOOK_MS = 2000
/** So many looks at the directory for each one at its files. */
const LOOKS_PER_FILES = 15

export interface JobRegistryOptions {
  dir: string
  /** As the configuration says now. */
  offer: () => Offer
  /** Called before files are read again. */
  beforeReload?: () => void
  /** Called once they were read, whatever they say. */
  afterReload?: () => void
  log: Logger
  lookMs?: number
}

/** Keeps the jobs of a directory. A change with a fault in any file leaves the earlier jobs in force until it is mended. */
export function createJobRegistry({ dir, offer, beforeReload, afterReload, log, lookMs = LOOK_MS }: JobRegistryOptions): JobRegistry {
  const loader = createJobLoader(dir, offer)
  let stamp = stampOf(dir)
  let inForce: LoadedJobs = loader.load()
  let issues: readonly string[] = inForce.issues
  /** What was said of it last. */
  let warned: readonly string[] = []
  let settle: NodeJS.Timeout | undefined
  /** When the first of the steps under way was seen. */
  let movedAt: number | undefined
  let looking: NodeJS.Timeout | undefined
  /** Ends what is read ahead. */
  let reading: AbortController | undefined
  let watched: { directory: string; watcher: FSWatcher | undefined } | undefined

  function read(): LoadedJobs {
    try {
      return loader.load()
    } catch (error) {
      return { jobs: inForce.jobs, issues: [describeError(error)], warnings: [] }
    }
  }

  function reload(): boolean {
    beforeReload?.()
    const isInForce = readAgain()
    afterReload?.()
    return isInForce
  }

  function readAgain(): boolean {
    if (watched) watchAgain()
    movedAt = undefined
    stamp = stampOf(dir)
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
    const { warnings } = found
    if (warnings.length > 0 && String(warnings) !== String(warned)) log.warn({ warnings }, 'Job files should be changed.')
    warned = warnings
    inForce = found
    if (changed.length + gone.length > 0) log.info({ changed, gone }, 'Job files were read again.')
    return true
  }

  /** Reads first, file by file, what changed: after a change of many files leases are renewed and callers answered meanwhile. Changes that come then are read in the end. */
  async function reloadInTurns(): Promise<void> {
    if (reading) return
    const own = (reading = new AbortController())
    try {
      await loader.readAhead(own.signal)
    } catch {
      // A directory that cannot be read is told of by the reload.
    } finally {
      reading = undefined
    }
    if (!own.signal.aborted) reload()
  }

  /** Watches the directory that has the name now. */
  function watchAgain(): void {
    const directory = directoryAt(dir)
    if (watched?.directory === directory) return
    watched?.watcher?.close()
    watched = { directory, watcher: undefined }
    const blind = (error: unknown) =>
      log.warn({ reason: describeError(error) }, 'Changes of job files are noticed late; send SIGHUP after one.')
    try {
      watched.watcher = watch(dir, () => {
        movedAt ??= performance.now()
        clearTimeout(settle)
        settle = setTimeout(() => void reloadInTurns(), Math.max(0, Math.min(SETTLE_MS, movedAt + MOST_SETTLE_MS - performance.now())))
      })
      watched.watcher.on('error', blind)
    } catch (error) {
      blind(error)
    }
  }

  function look(count: number): void {
    const isOther = watched?.directory !== directoryAt(dir)
    if (isOther || (count % LOOKS_PER_FILES === 0 && stampOf(dir) !== stamp)) void reloadInTurns()
  }

  return {
    jobs: () => inForce.jobs,
    unpinned: (name) => loadUnpinned(dir, name, offer()),
    issues: () => issues,
    reload,
    start() {
      if (watched) return
      watchAgain()
      let looks = 0
      looking = setInterval(() => look(++looks), lookMs).unref()
      // A file may have changed since it was read.
      reload()
    },
    stop() {
      clearTimeout(settle)
      clearInterval(looking)
      reading?.abort()
      watched?.watcher?.close()
      watched = undefined
    },
  }
}

/** Which directory stands behind a name; empty when there is none. */
function directoryAt(dir: string): string {
  try {
    const { dev, ino } = statSync(dir)
    return `${realpathSync(dir)} ${dev} ${ino}`
  } catch {
    return ''
  }
}

/** What tells one state of the files of a directory from another, without reading them. */
function stampOf(dir: string): string {
  try {
    return readdirSync(dir)
      .toSorted()
      .map((file) => `${file} ${fileStamp(join(dir, file))}`)
      .join('\n')
  } catch {
    return ''
  }
}
