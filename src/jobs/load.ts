import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { digestOf } from '../lib/digest.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue, type FileIssue } from '../lib/yaml/file.ts'
import { checkDefinition, type Offer } from './check.ts'
import { fillContext } from './context.ts'
import { readLock } from './lock.ts'
import { jobSchema, type JobDefinition } from './schema.ts'

const MAX_FILE_BYTES = 1_048_576
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

export interface Job {
  /** Name of the file without its ending. */
  name: string
  file: string
  definition: JobDefinition
  /** Digest of the definition with its defaults: the same work has the same version, however the file is laid out. */
  version: string
}

export interface LoadedJobs {
  jobs: ReadonlyMap<string, Job>
  /** One line for each fault, with file, line, field and cure. */
  issues: string[]
}

/** Reads all job files of a directory. A file with a fault is left out and its faults are listed; the others are not touched. */
export function loadJobs(dir: string, offer: Offer): LoadedJobs {
  let files: string[]
  try {
    files = readdirSync(dir)
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
  const jobs = new Map<string, Job>()
  /** The first file of each name, faulty or not. */
  const seen = new Map<string, string>()
  const issues: string[] = []
  for (const file of files) {
    const path = join(dir, file)
    const name = nameOf(path)
    const first = seen.get(name)
    if (first !== undefined) {
      issues.push(`${show(path)}:1: ${show(first)} defines the job ${name} already; remove one of them`)
      continue
    }
    seen.set(name, path)
    const result = loadJob(path, offer)
    if (result.ok) jobs.set(name, result.job)
    else issues.push(...result.issues)
  }
  return { jobs, issues }
}

const nameOf = (path: string) => basename(path).replace(/\.ya?ml$/, '')

const show = (path: string) => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** The job of that name without its lock file, which may be missing or out of date. Undefined when there is none without a fault. */
export function loadUnpinned(dir: string, name: string, offer: Offer): Job | undefined {
  for (const ending of ['yaml', 'yml']) {
    const path = join(dir, `${name}.${ending}`)
    if (!existsSync(path)) continue
    const result = loadJob(path, offer, { locked: false })
    return result.ok ? result.job : undefined
  }
  return undefined
}

/** Reads one job file, and its lock file when it is pinned. */
export function loadJob(
  path: string,
  offer: Offer,
  { locked = true }: { locked?: boolean } = {},
): { ok: true; job: Job } | { ok: false; issues: string[] } {
  const fault = (issue: FileIssue) => showIssue(show(path), issue)
  const name = nameOf(path)
  if (!NAME.test(name))
    return {
      ok: false,
      issues: [fault({ line: 1, field: '', message: 'its name is the job’s name: use lower-case letters, digits and dashes' })],
    }
  let text: string
  try {
    const stat = statSync(path)
    // Only regular files: reading a pipe or a device might never end.
    if (!stat.isFile())
      return { ok: false, issues: [fault({ line: 1, field: '', message: 'is not a file; move it away or give it another ending' })] }
    if (stat.size > MAX_FILE_BYTES)
      return { ok: false, issues: [fault({ line: 1, field: '', message: 'is larger than 1 MiB; make it smaller' })] }
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : messageOf(error)
    return { ok: false, issues: [fault({ line: 1, field: '', message: `cannot be read: ${why}` })] }
  }
  const parsed = parseYaml(text, jobSchema)
  if (!parsed.ok) return { ok: false, issues: parsed.issues.map(fault) }
  const { $schema: _, ...written } = parsed.value
  const lock = written.pin && locked ? readLock(path) : undefined
  if (lock && !lock.ok) return { ok: false, issues: [lock.issue.replace(path, show(path))] }
  const { context, faults } = fillContext(path, written.context)
  const definition: JobDefinition = { ...written, context, ...(lock && { pinned: lock.pinned }) }
  const issues = [...faults, ...checkDefinition(name, definition, offer)]
  if (issues.length > 0)
    return {
      ok: false,
      issues: issues.map(({ path: at, message }) => fault({ line: parsed.lineOf(at), field: at.join('.'), message })),
    }
  return { ok: true, job: { name, file: path, definition, version: digestOf(definition) } }
}
