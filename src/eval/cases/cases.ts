// A file of cases beside a job file: what a run of the job is given, and what must come of it.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { Failure, messageOf } from '../../core/failure.ts'
import { z } from 'zod'
import { checkDefinition, type Offer } from '../../jobs/check.ts'
import { jobSchema, type JobDefinition } from '../../jobs/schema.ts'
import { createJob, type Job } from '../../jobs/job.ts'
import { readDate } from '../../lib/time/zoned.ts'
import { explainIssues } from '../../lib/yaml/explain.ts'
import { parseYaml, showIssue } from '../../lib/yaml/file.ts'
import { filledInput, inputFault } from '../../runs/create.ts'
import { expectSchema, type Expectation } from './expect.ts'
import { recordSchema, type Recording } from './recording.ts'

/** Recorded results may be large. */
const MAX_FILE_BYTES = 16 * 1_048_576
/** No worker reads it: its results of tools may have many rows. */
const MAX_PARTS = 5_000_000

const caseSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is not a name; use lower-case letters, digits and dashes')
    .describe('Names the case in the report and the file of its page.'),
  about: z.string().optional().describe('What it would catch, in a line.'),
  at: z
    .string()
    .optional()
    .describe('The fire that the run is of, by the clock of the job’s zone, such as 2026-03-01 07:00. Without it, a run by hand, now.'),
  now: z.string().optional().describe('What time the run is told it is, by the same clock. Without it, that of the fire.'),
  input: z.record(z.string(), z.unknown()).default({}).describe('Input of the run.'),
  set: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Fields of the job file that are others in this case, each with its whole value; null leaves one out.'),
  writes: z
    .enum(['refused', 'made'])
    .default('refused')
    .describe('Calls of tools that the job does not call repeatable: refused, or really made.'),
  record: recordSchema.optional().describe('Answers of the servers, taken from a run: no server is asked then.'),
  expect: expectSchema.describe('What must come of it.'),
})

/** The format of a file of cases. */
export const caseFileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors.'),
    cases: z.array(caseSchema).min(1).max(1000).describe('In the order of the report.'),
  })
  .superRefine(({ cases }, context) => {
    const seen = new Set<string>()
    for (const [index, { name }] of cases.entries()) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: ['cases', index, 'name'], message: 'is there twice; give one of them another name' })
      seen.add(name)
    }
  })

export type CaseFile = z.input<typeof caseFileSchema>

/** A case that can be run: the job as it is in it. */
export interface EvalCase {
  name: string
  about: string | undefined
  job: string
  definition: JobDefinition
  at: Date | undefined
  /** What the run is told for now; undefined: the time it is. */
  now: Date | undefined
  input: Record<string, unknown>
  writes: 'refused' | 'made'
  record: Recording | undefined
  expect: Expectation
}

/** `jobs/report.yaml` → `jobs/report.cases.yaml`. */
export const caseFileOf = (jobFile: string): string => jobFile.replace(/\.ya?ml$/, '.cases.yaml')

type LoadedCases = { ok: true; cases: EvalCase[] } | { ok: false; issues: string[] }

/** Reads the cases of a job. Throws `JOB_INVALID` that lists every fault with file, line and field. */
export function loadCases(job: Job, offer: Offer): EvalCase[] {
  const file = caseFileOf(job.file)
  if (!existsSync(file))
    throw new Failure({
      code: 'JOB_INVALID',
      message: `The job ${job.name} has no cases: there is no file ${file}.`,
      cure: 'Write it (docs/eval.md says how), or take a case from a run: nightshift eval record RUN.',
    })
  const loaded = readCases(job, offer)
  if (loaded.ok) return loaded.cases
  throw new Failure({ code: 'JOB_INVALID', message: `The cases in ${file} have faults:\n  ${loaded.issues.join('\n  ')}\n` })
}

/** The faults of the files of cases that there are. */
export const caseFaults = (jobs: Iterable<Job>, offer: Offer): string[] =>
  [...jobs].flatMap((job) => {
    if (!existsSync(caseFileOf(job.file))) return []
    const loaded = readCases(job, offer)
    return loaded.ok ? [] : loaded.issues
  })

function readCases(job: Job, offer: Offer): LoadedCases {
  const file = caseFileOf(job.file)
  const whole = (message: string): LoadedCases => ({ ok: false, issues: [showIssue(file, { line: 1, field: '', message })] })
  let text: string
  try {
    if (statSync(file).size > MAX_FILE_BYTES) return whole('is larger than 16 MiB; make it smaller')
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return whole(`cannot be read: ${messageOf(error)}`)
  }
  const parsed = parseYaml(text, caseFileSchema, { maxParts: MAX_PARTS })
  if (!parsed.ok) return { ok: false, issues: parsed.issues.map((issue) => showIssue(file, issue)) }
  const issues: string[] = []
  const cases = parsed.value.cases.flatMap((written, index) => {
    const one = caseOf(written, job, offer, (path, message) => {
      const place = ['cases', index, ...path]
      issues.push(showIssue(file, { line: parsed.place.lineOf(place), field: place.join('.'), message }))
    })
    return one ? [one] : []
  })
  return issues.length > 0 ? { ok: false, issues } : { ok: true, cases }
}

function caseOf({ set, at, now, ...one }: z.output<typeof caseSchema>, job: Job, offer: Offer, fault: Tell): EvalCase | undefined {
  const definition = definitionOf(job, set, offer, fault)
  if (!definition) return undefined
  const misfit = inputFault(definition, filledInput(definition, one.input))
  if (misfit !== undefined) fault(['input'], `does not fit the job: ${misfit}`)
  const read = (field: 'at' | 'now', time: string | undefined) =>
    time === undefined ? undefined : timeOf(time, definition.timezone, (message) => fault([field], message))
  const fire = read('at', at)
  return { ...one, about: one.about, record: one.record, job: job.name, definition, at: fire, now: read('now', now) ?? fire }
}

type Tell = (path: readonly PropertyKey[], message: string) => void

/** The job with the fields that the case sets. A pin holds for the job's own tools alone. */
function definitionOf({ name, definition }: Job, set: Record<string, unknown>, offer: Offer, fault: Tell): JobDefinition | undefined {
  const { pinned, ...written } = definition
  const parsed = jobSchema.safeParse(withoutNulls({ ...written, ...set }), { reportInput: true })
  if (!parsed.success) {
    for (const { path, message } of explainIssues(parsed.error.issues)) fault(['set', ...path], message)
    return undefined
  }
  const { $schema: _, ...found } = parsed.data
  const result: JobDefinition = pinned && set['tools'] === undefined ? { ...found, pinned } : found
  const faults = checkDefinition(name, result, offer)
  for (const { path, message } of faults) fault(['set', ...path], message)
  return faults.length === 0 ? result : undefined
}

const withoutNulls = (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

function timeOf(written: string, timezone: string, fault: (message: string) => void): Date | undefined {
  try {
    return new Date(readDate(written.replace(' ', 'T'), timezone).epochMilliseconds)
  } catch {
    fault(`${JSON.stringify(written.slice(0, 40))} is not a time; write it by the clock of ${timezone}, such as 2026-03-01 07:00`)
    return undefined
  }
}

/** The job of a case as the run path wants it. Nothing is delivered, and no other run of the job stands in its way. */
export function jobOf({ job, definition }: Pick<EvalCase, 'job' | 'definition'>, file: string): Job {
  const { concurrency: _, ...rest } = definition
  const quiet: JobDefinition = { ...rest, deliver: [] }
  return createJob({ name: job, file, definition: quiet })
}
