import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { messageOf } from '../core/failure.ts'
import { parseYaml, showIssue, type FileIssue } from '../lib/yaml/file.ts'
import { checkDefinition, type Offer } from './check.ts'
import { fillContext } from './context.ts'
import { createJob, type Job } from './job.ts'
import { readLock } from './lock.ts'
import { jobSchema, type JobDefinition } from './schema.ts'
import { warningsOf } from './warnings/warnings.ts'

const MAX_FILE_BYTES = 1_048_576
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

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

/** Reads one job file, and its lock file when it is pinned. */
export function loadJob(path: string, offer: Offer, { locked = true }: { locked?: boolean } = {}): LoadResult {
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
  if (lock && !lock.ok) return { ok: false, issues: [lock.issue.replace(`${path}:1:`, `${show(path)}:${parsed.place.lineOf(['pin'])}:`)] }
  const { context, faults } = fillContext(path, written.context)
  const definition: JobDefinition = { ...written, context, ...(lock && { pinned: lock.pinned }) }
  const issues = [...faults, ...checkDefinition(name, definition, offer)]
  if (issues.length > 0)
    return {
      ok: false,
      issues: issues.map(({ path: at, message, textLine }) =>
        fault({ line: parsed.place.lineOf(at, textLine), field: at.join('.'), message }),
      ),
    }
  const warnings = warningsOf(text, name, definition, parsed.place).map(fault)
  return { ok: true, job: createJob({ name, file: path, definition }), warnings }
}
