import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { messageOf } from '../core/failure.ts'
import { parseYaml, showIssue, type FileIssue } from '../lib/yaml/file.ts'
import { offerFaults, ownFaults, type Offer } from './check.ts'
import { fillContext } from './context.ts'
import { createJob, type Job } from './job.ts'
import { readLock } from './lock.ts'
import { jobSchema, type JobDefinition } from './schema.ts'
import { issueOf, type Fault } from './faults/fault.ts'
import { warningsOf } from './warnings/warnings.ts'

const MAX_FILE_BYTES = 1_048_576
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

const NAMED = 'the name of the file is that of the job: take the line out'

/** Of keys that other programs have. A job can be paused whatever is in its file, also before the first time that it is read. */
function adviceFor(job: string): Readonly<Record<string, string>> {
  const paused = `if the job is not to run, first pause it: nightshift pause ${job} --reason "…" (nightshift resume ${job} lets it go on); then take the line out`
  return {
    ...Object.fromEntries(
      ['enabled', 'disabled', 'active', 'paused'].flatMap((key) => [
        [key, paused],
        [`schedule.${key}`, paused],
      ]),
    ),
    ...Object.fromEntries(['name', 'id'].map((key) => [key, NAMED])),
  }
}

/** The job of a file. */
export const nameOf = (path: string) => basename(path).replace(/\.ya?ml$/, '')

/** A path as a person reads it: from where they are, when the file is below. */
export const show = (path: string) => {
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

/** `warnings` are of what was read all the same. */
export type LoadResult = { ok: true; job: Job; warnings: string[] } | { ok: false; issues: string[] }

/** A job file as it is by itself, whatever a configuration offers. */
export interface JobFile {
  /** What keeps it from being read at all. */
  issues: string[]
  /** Undefined when there are such. */
  read: ReadJob | undefined
}

interface ReadJob {
  name: string
  definition: JobDefinition
  /** Faults of its own. */
  faults: Fault[]
  /** Undefined when it has such. */
  whole: { job: Job; warnings: string[] } | undefined
  /** A fault, as a line with file, line and field. */
  show: (fault: Fault) => string
}

/** Reads one job file, and its lock file when it is pinned. */
export const loadJob = (path: string, offer: Offer, options: { locked?: boolean } = {}): LoadResult =>
  holdAgainst(readJob(path, options), offer)

/** What a job file is under an offer: it is not read again for that. */
export function holdAgainst({ issues, read }: JobFile, offer: Offer): LoadResult {
  if (!read) return { ok: false, issues }
  const { name, definition, faults, whole } = read
  const found = [...offerFaults(name, definition, offer), ...faults]
  return whole && found.length === 0 ? { ok: true, ...whole } : { ok: false, issues: found.map(read.show) }
}

/** Reads one job file by itself, and its lock file when it is pinned. */
export function readJob(path: string, { locked = true }: { locked?: boolean } = {}): JobFile {
  const fault = (issue: FileIssue) => showIssue(show(path), issue)
  const unread = (message: string): JobFile => ({ issues: [fault({ line: 1, field: '', message })], read: undefined })
  const name = nameOf(path)
  if (!NAME.test(name)) return unread('its name is the job’s name: use lower-case letters, digits and dashes')
  let text: string
  try {
    const stat = statSync(path)
    // Only regular files: reading a pipe or a device might never end.
    if (!stat.isFile()) return unread('is not a file; move it away or give it another ending')
    if (stat.size > MAX_FILE_BYTES) return unread('is larger than 1 MiB; make it smaller')
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    return unread(`cannot be read: ${error instanceof TypeError ? 'it is not UTF-8 text' : messageOf(error)}`)
  }
  const parsed = parseYaml(text, jobSchema, { advice: adviceFor(name) })
  if (!parsed.ok) return { issues: parsed.issues.map(fault), read: undefined }
  const { $schema: _, ...written } = parsed.value
  const { place } = parsed
  const lock = written.pin && locked ? readLock(path) : undefined
  if (lock && !lock.ok) return { issues: [lock.issue.replace(`${path}:1:`, `${show(path)}:${place.lineOf(['pin'])}:`)], read: undefined }
  const { context, faults: missing } = fillContext(path, written.context)
  const definition: JobDefinition = { ...written, context, ...(lock && { pinned: lock.pinned }) }
  const faults = [...missing, ...ownFaults(name, definition)]
  const isWhole = faults.length === 0
  return {
    issues: [],
    read: {
      name,
      definition,
      faults,
      whole: isWhole
        ? { job: createJob({ name, file: path, definition }), warnings: warningsOf(text, name, definition, place).map(fault) }
        : undefined,
      show: (one) => fault(issueOf(one, place)),
    },
  }
}
