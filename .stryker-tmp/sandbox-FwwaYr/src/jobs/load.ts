// @ts-nocheck
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { digestOf } from '../lib/digest.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { compileSchema } from '../lib/json-schema.ts'
import { parseYaml, showIssue, type FileIssue } from '../lib/yaml/file.ts'
import { readLock } from './lock.ts'
import { jobSchema, type JobDefinition } from './schema.ts'
import { checkTemplate } from './template.ts'

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

/** What the configuration offers a job, so that a wrong name is found when the file is read. */
export interface Offer {
  accounts: readonly string[]
  providers: readonly string[]
  /** The provider speaks the API in which a model can call MCP servers itself. */
  canHost(provider: string): boolean
  hasPrice(model: string): boolean
  /** What is wrong with where a report is to go. */
  deliverFault(entry: JobDefinition['deliver'][number]): string | undefined
  /** A daily ceiling in money is set for the job or its account. */
  hasMoneyBudget(job: string, account: string): boolean
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
      .filter((file) => /\.ya?ml$/.test(file) && !file.endsWith('.lock.yaml'))
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
    // Reading a pipe or a device might never end.
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
  const definition: JobDefinition = lock ? { ...written, pinned: lock.pinned } : written
  const issues = checkDefinition(name, definition, offer)
  if (issues.length > 0)
    return {
      ok: false,
      issues: issues.map(({ path: at, message }) => fault({ line: parsed.lineOf(at), field: at.join('.'), message })),
    }
  return { ok: true, job: { name, file: path, definition, version: digestOf(definition) } }
}

/** A fault of a value that the format allows, at its path. */
interface Fault {
  path: readonly string[]
  message: string
}

function checkDefinition(job: string, definition: JobDefinition, offer: Offer): Fault[] {
  const issues: Fault[] = []
  const known = (names: readonly string[]) => (names.length > 0 ? `known are ${names.join(', ')}` : 'none is configured')
  if (!offer.accounts.includes(definition.account))
    issues.push({
      path: ['account'],
      message: `is ${definition.account}, which is not under accounts: in the configuration; ${known(offer.accounts)}`,
    })
  const { provider, name } = definition.model
  if (!offer.providers.includes(provider))
    issues.push({
      path: ['model', 'provider'],
      message: `is ${provider}, which is not under providers: in the configuration; ${known(offer.providers)}`,
    })
  else if (definition.delegate === 'hosted' && !offer.canHost(provider))
    issues.push({
      path: ['delegate'],
      message: `is hosted, which needs a provider with api: responses; ${provider} has api: chat. Change the provider, or write delegate: local`,
    })
  if (definition.limits.costUsd !== undefined && !offer.hasPrice(name)) {
    issues.push({ path: ['limits', 'costUsd'], message: `needs a price of the model ${name}; add it under prices: in the configuration` })
  }
  if (offer.hasMoneyBudget(job, definition.account) && !offer.hasPrice(name)) {
    issues.push({
      path: ['model', 'name'],
      message: `is ${name}, which has no price, but budgets: sets a costUsd for the job or its account; add it under prices: in the configuration`,
    })
  }
  for (const entry of definition.deliver) {
    const fault = offer.deliverFault(entry)
    if (fault !== undefined) issues.push({ path: ['deliver'], message: fault })
  }
  for (const field of ['prompt', 'instructions'] as const) {
    const fault = definition[field] === undefined ? undefined : checkTemplate(definition[field])
    if (fault) issues.push({ path: [field], message: fault })
  }
  for (const [path, schema] of [
    [['input'], definition.input],
    [['output', 'schema'], definition.output?.schema],
  ] as const) {
    try {
      if (schema) compileSchema(schema)
    } catch (error) {
      issues.push({ path, message: `is not a valid JSON Schema: ${messageOf(error)}` })
    }
  }
  if (issues.length === 0) issues.push(...scheduleFaults(definition))
  return issues
}

/** What is wrong with a schedule of a job that is right by itself. */
function scheduleFaults({ schedule, input }: JobDefinition): Fault[] {
  if (!schedule) return []
  const issues: Fault[] = []
  // The parser takes it for a time drawn at random: another one at each look. Runs that are queued may have it, so the format lets it pass.
  if (/(^|[\s,])H/i.test(schedule.cron))
    issues.push({
      path: ['schedule', 'cron'],
      message: 'has an H, a time that is chosen for it, which is not known here; write the time itself',
    })
  const fault = input && compileSchema(input)({})
  if (fault !== undefined)
    issues.push({
      path: ['schedule'],
      message: `runs the job without an input, but ${fault}; let the input be left out, or take schedule out`,
    })
  return issues
}
