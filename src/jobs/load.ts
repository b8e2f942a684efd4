import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { digestOf } from '../core/digest.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { compileSchema } from '../core/json-schema.ts'
import { parseYaml, showIssue, type FileIssue } from '../core/yaml-file.ts'
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
  /** Names of the webhooks that reports can go to. */
  webhooks: readonly string[]
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
  const issues: string[] = []
  for (const file of files) {
    const path = join(dir, file)
    const result = loadJob(path, offer)
    if (!result.ok) issues.push(...result.issues)
    else if (jobs.has(result.job.name))
      issues.push(`${show(path)}:1: another file already defines the job ${result.job.name}; remove one of them`)
    else jobs.set(result.job.name, result.job)
  }
  return { jobs, issues }
}

const show = (path: string) => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** Reads one job file. */
export function loadJob(path: string, offer: Offer): { ok: true; job: Job } | { ok: false; issues: string[] } {
  const fault = (issue: FileIssue) => showIssue(show(path), issue)
  const name = basename(path).replace(/\.ya?ml$/, '')
  if (!NAME.test(name))
    return {
      ok: false,
      issues: [fault({ line: 1, field: '', message: 'its name is the job’s name: use lower-case letters, digits and dashes' })],
    }
  let text: string
  try {
    if (statSync(path).size > MAX_FILE_BYTES) return { ok: false, issues: [fault({ line: 1, field: '', message: 'is larger than 1 MiB' })] }
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : messageOf(error)
    return { ok: false, issues: [fault({ line: 1, field: '', message: `cannot be read: ${why}` })] }
  }
  const parsed = parseYaml(text, jobSchema)
  if (!parsed.ok) return { ok: false, issues: parsed.issues.map(fault) }
  const { $schema: _, ...written } = parsed.value
  const lock = written.pin ? readLock(path) : undefined
  if (lock && !lock.ok) return { ok: false, issues: [lock.issue.replace(path, show(path))] }
  const definition: JobDefinition = lock ? { ...written, pinned: lock.pinned } : written
  const issues = checkDefinition(name, definition, offer)
  if (issues.length > 0)
    return { ok: false, issues: issues.map(({ field, message }) => fault({ line: lineOfField(text, field), field, message })) }
  return { ok: true, job: { name, file: path, definition, version: digestOf(definition) } }
}

function checkDefinition(job: string, definition: JobDefinition, offer: Offer): Omit<FileIssue, 'line'>[] {
  const issues: Omit<FileIssue, 'line'>[] = []
  const known = (names: readonly string[]) => (names.length > 0 ? `known are ${names.join(', ')}` : 'none is configured')
  if (!offer.accounts.includes(definition.account))
    issues.push({
      field: 'account',
      message: `is ${definition.account}, which is not under accounts: in the configuration; ${known(offer.accounts)}`,
    })
  const { provider, name } = definition.model
  if (!offer.providers.includes(provider))
    issues.push({
      field: 'model',
      message: `names the provider ${provider}, which is not under providers: in the configuration; ${known(offer.providers)}`,
    })
  else if (definition.delegate === 'hosted' && !offer.canHost(provider))
    issues.push({
      field: 'delegate',
      message: `is hosted, which needs a provider with api: responses; ${provider} has api: chat. Change the provider, or write delegate: local`,
    })
  if (definition.limits.costUsd !== undefined && !offer.hasPrice(name)) {
    issues.push({ field: 'limits', message: `has costUsd, but the model ${name} has no price; add it under prices: in the configuration` })
  }
  if (offer.hasMoneyBudget(job, definition.account) && !offer.hasPrice(name)) {
    issues.push({
      field: 'model',
      message: `is ${name}, which has no price, but budgets: sets a costUsd for the job or its account; add it under prices: in the configuration`,
    })
  }
  for (const { webhook } of definition.deliver) {
    if (webhook !== undefined && !offer.webhooks.includes(webhook))
      issues.push({
        field: 'deliver',
        message: `names the webhook ${webhook}, which is not under webhooks: in the configuration; ${known(offer.webhooks)}`,
      })
  }
  for (const field of ['prompt', 'instructions'] as const) {
    const fault = definition[field] === undefined ? undefined : checkTemplate(definition[field])
    if (fault) issues.push({ field, message: fault })
  }
  for (const [field, schema] of [
    ['input', definition.input],
    ['output', definition.output?.schema],
  ] as const) {
    try {
      if (schema) compileSchema(schema)
    } catch (error) {
      issues.push({ field, message: `is not a valid JSON Schema: ${messageOf(error)}` })
    }
  }
  return issues
}

/** Checks that look at the whole file name a top-level field; its line is where it begins. */
function lineOfField(text: string, field: string): number {
  const index = text.split('\n').findIndex((line) => line.startsWith(`${field}:`))
  return Math.max(index, 0) + 1
}
