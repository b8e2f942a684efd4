import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, messageOf } from '../core/failure.ts'
import type { Offer } from './check.ts'
import type { Job } from './job.ts'
import { loadJob, nameOf, show, type LoadResult } from './load.ts'
import { lockFileOf } from './lock.ts'

export interface LoadedJobs {
  jobs: ReadonlyMap<string, Job>
  /** One line for each fault, with file, line, field and cure. */
  issues: string[]
  /** What looks like a secret in a job file. A line each, with file and line. */
  warnings: string[]
}

/** Reads all job files of a directory. A file with a fault is left out and its faults are listed; the others are not touched. */
export const loadJobs = (dir: string, offer: Offer): LoadedJobs => createJobLoader(dir, () => offer)()

/** The same, to be called again: a file that did not change since is not read again, under the same offer. */
export function createJobLoader(dir: string, offered: () => Offer): () => LoadedJobs {
  let kept: ReadonlyMap<string, Read> = new Map()
  let heldAgainst: Offer | undefined
  return () => {
    const offer = offered()
    if (offer !== heldAgainst) kept = new Map()
    heldAgainst = offer
    const reads = new Map<string, Read>()
    const loaded = loadAll(dir, (path) => {
      const stamp = `${fileStamp(path)} ${fileStamp(lockFileOf(path))}`
      const before = kept.get(path)
      const result = before?.stamp === stamp ? before.result : loadJob(path, offer)
      if (isWhole(result)) reads.set(path, { stamp, result })
      return result
    })
    kept = reads
    return loaded
  }
}

interface Read {
  stamp: string
  result: LoadResult
}

/** Nothing else than its own file and its lock file is in the job. */
const isWhole = (result: LoadResult): boolean => result.ok && result.job.definition.context.every(({ file }) => file === undefined)

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
export const jobNames = (dir: string): string[] => [...new Set(filesIn(dir).map((file) => nameOf(join(dir, file))))]

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((file) => /\.ya?ml$/.test(file) && !/\.(lock|cases)\.yaml$/.test(file))
      .toSorted()
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The directory of job files cannot be read: ${messageOf(cause)}.`,
      cure: 'Make it, or correct jobsDir.',
      cause,
    })
  }
}

function loadAll(dir: string, load: (path: string) => LoadResult): LoadedJobs {
  const files = filesIn(dir)
  const jobs = new Map<string, Job>()
  /** The first file of each name, faulty or not. */
  const seen = new Map<string, string>()
  const issues: string[] = []
  const warnings: string[] = []
  for (const file of files) {
    const path = join(dir, file)
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
