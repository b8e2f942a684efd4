import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure, messageOf } from '../core/failure.ts'
import type { Offer } from './check.ts'
import type { Job } from './job.ts'
import { holdAgainst, loadJob, nameOf, readJob, show, type JobFile, type LoadResult } from './load.ts'
import { lockFileOf } from './lock.ts'

export interface LoadedJobs {
  jobs: ReadonlyMap<string, Job>
  /** One line for each fault, with file, line, field and cure. */
  issues: string[]
  /** What looks like a secret in a job file. A line each, with file and line. */
  warnings: string[]
}

/** Reads all job files of a directory. A file with a fault is left out and its faults are listed; the others are not touched. */
export const loadJobs = (dir: string, offer: Offer): LoadedJobs => createJobLoader(dir, () => offer).load()

/** Reads these job files alone. */
export const loadJobFiles = (paths: readonly string[], offer: Offer): LoadedJobs => loadAll(paths, (path) => loadJob(path, offer))

export interface JobLoader {
  /** The same as `loadJobs`, to be called again: a file that did not change since is not read again, and is held against the offer again where that is another one. */
  load(): LoadedJobs
  /** Reads what changed, and lets the event loop turn after each file; `load` then reads only what changed meanwhile. */
  readAhead(signal: AbortSignal): Promise<void>
}

export function createJobLoader(dir: string, offered: () => Offer): JobLoader {
  let kept = new Map<string, Read>()
  /** Files that are read each time, since others are in their jobs. */
  const partial = new Set<string>()

  function read(path: string, offer: Offer): Read {
    const stamp = `${fileStamp(path)} ${fileStamp(lockFileOf(path))}`
    const before = kept.get(path)
    const file = before?.stamp === stamp ? before.file : readJob(path)
    const result = before?.file === file && before.offer === offer ? before.result : holdAgainst(file, offer)
    return { stamp, file, offer, result }
  }

  function load(): LoadedJobs {
    const offer = offered()
    const reads = new Map<string, Read>()
    const loaded = loadAll(jobFilesIn(dir), (path) => {
      const one = read(path, offer)
      if (isWhole(one.file)) reads.set(path, one)
      partial[isWhole(one.file) ? 'delete' : 'add'](path)
      return one.result
    })
    kept = reads
    return loaded
  }

  return {
    load,
    async readAhead(signal) {
      for (const path of jobFilesIn(dir)) {
        if (signal.aborted) return
        if (partial.has(path)) continue
        const one = read(path, offered())
        if (one.file === kept.get(path)?.file) continue
        if (isWhole(one.file)) kept.set(path, one)
        await nextTurn()
      }
    },
  }
}

interface Read {
  stamp: string
  file: JobFile
  /** What it was held against, and what came of that. */
  offer: Offer
  result: LoadResult
}

/** Nothing else than its own file and its lock file is in the job. */
const isWhole = ({ read }: JobFile): boolean => read?.whole?.job.definition.context.every(({ file }) => file === undefined) ?? false

/** What changes whenever a file does. A file that is not there has a stamp too. */
export function fileStamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch {
    return 'none'
  }
}

/** The names of the jobs of a directory, whether their files have faults or not. */
export const jobNames = (dir: string): string[] => [...new Set(jobFilesIn(dir).map(nameOf))]

/** The paths of the job files of a directory. Throws `CONFIG_INVALID` when it cannot be read. */
export function jobFilesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((file) => /\.ya?ml$/.test(file) && !/\.(lock|cases)\.yaml$/.test(file))
      .toSorted()
      .map((file) => join(dir, file))
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The directory of job files cannot be read: ${messageOf(cause)}.`,
      cure: 'Make it, or correct jobsDir.',
      cause,
    })
  }
}

function loadAll(paths: readonly string[], load: (path: string) => LoadResult): LoadedJobs {
  const jobs = new Map<string, Job>()
  /** The first file of each name, faulty or not. */
  const seen = new Map<string, string>()
  const issues: string[] = []
  const warnings: string[] = []
  for (const path of paths) {
    const name = nameOf(path)
    const first = seen.get(name)
    if (first !== undefined) {
      issues.push(`${show(path)}:1: ${show(first)} defines the job ${name} already; remove one of them`)
      continue
    }
    seen.set(name, path)
    const result = load(path)
    if (result.ok) {
      jobs.set(name, result.job)
      warnings.push(...result.warnings)
    } else issues.push(...result.issues)
  }
  return { jobs, issues, warnings }
}
