// A file of cases beside a job file: what a run of the job is given, and what must come of it.
import { existsSync, readFileSync } from 'node:fs'
import { Failure } from '../core/failure.ts'
import { z } from 'zod'
import { checkDefinition, type Offer } from '../jobs/check.ts'
import type { Job } from '../jobs/load.ts'
import { jobSchema, type JobDefinition } from '../jobs/schema.ts'
import { digestOf } from '../lib/digest.ts'
import { readDate } from '../lib/time/zoned.ts'
import { explainIssue, parseYaml, showIssue } from '../lib/yaml/file.ts'
import { expectSchema, type Expectation } from './expect.ts'
import { recordSchema, type Recording } from './recording.ts'

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
    .describe('Fields of the job file that are others in this case, each with its whole value.'),
  writes: z
    .enum(['refused', 'made'])
    .default('refused')
    .describe('Calls of tools that the job does not call repeatable: refused, or really made.'),
  record: recordSchema.optional().describe('Answers of the servers, taken from a run: no server is asked then.'),
  expect: expectSchema.describe('What must come of it.'),
})

const fileSchema = z
  .strictObject({ $schema: z.string().optional(), cases: z.array(caseSchema).min(1).max(1000) })
  .superRefine(({ cases }, context) => {
    const seen = new Set<string>()
    for (const [index, { name }] of cases.entries()) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: ['cases', index, 'name'], message: 'is there twice; give one of them another name' })
      seen.add(name)
    }
  })

/** The format of a file of cases, for editors. */
export type CaseFile = z.input<typeof fileSchema>

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

/** Reads the cases of a job. Throws `JOB_INVALID` that lists every fault with file, line and field. */
export function loadCases(job: Job, offer: Offer): EvalCase[] {
  const file = caseFileOf(job.file)
  if (!existsSync(file))
    throw new Failure({
      code: 'JOB_INVALID',
      message: `The job ${job.name} has no cases: there is no file ${file}.`,
      cure: 'Write it (docs/eval.md says how), or take a case from a run: nightshift eval record RUN.',
    })
  const parsed = parseYaml(readFileSync(file, 'utf8'), fileSchema)
  if (!parsed.ok)
    throw faulty(
      file,
      parsed.issues.map((issue) => showIssue(file, issue)),
    )
  const issues: string[] = []
  const cases = parsed.value.cases.flatMap(({ set, at, now, ...one }, index) => {
    const fault = (path: readonly PropertyKey[], message: string) => {
      const place = ['cases', index, ...path]
      issues.push(showIssue(file, { line: parsed.lineOf(place), field: place.join('.'), message }))
    }
    const definition = definitionOf(job, set, offer, fault)
    if (!definition) return []
    const read = (field: 'at' | 'now', written: string | undefined) =>
      written === undefined ? undefined : timeOf(written, definition.timezone, (message) => fault([field], message))
    const fire = read('at', at)
    return [{ ...one, about: one.about, record: one.record, job: job.name, definition, at: fire, now: read('now', now) ?? fire }]
  })
  if (issues.length > 0) throw faulty(file, issues)
  return cases
}

type Tell = (path: readonly PropertyKey[], message: string) => void

/** The job with the fields that the case sets. A pin holds for the job's own tools alone. */
function definitionOf({ name, definition }: Job, set: Record<string, unknown>, offer: Offer, fault: Tell): JobDefinition | undefined {
  const { pinned, ...written } = definition
  const parsed = jobSchema.safeParse({ ...written, ...set }, { reportInput: true })
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues.flatMap(explainIssue)) fault(['set', ...path], message)
    return undefined
  }
  const { $schema: _, ...found } = parsed.data
  const result: JobDefinition = pinned && set['tools'] === undefined ? { ...found, pinned } : found
  const faults = checkDefinition(name, result, offer)
  for (const { path, message } of faults) fault(['set', ...path], message)
  return faults.length === 0 ? result : undefined
}

function timeOf(written: string, timezone: string, fault: (message: string) => void): Date | undefined {
  try {
    return new Date(readDate(written.replace(' ', 'T'), timezone).epochMilliseconds)
  } catch (error) {
    fault(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

const faulty = (file: string, issues: readonly string[]) =>
  new Failure({ code: 'JOB_INVALID', message: `The cases in ${file} have faults:\n  ${issues.join('\n  ')}\n` })

/** The job of a case as the run path wants it. Nothing is delivered, and no other run of the job stands in its way. */
export function jobOf({ job, definition }: Pick<EvalCase, 'job' | 'definition'>, file: string): Job {
  const { concurrency: _, ...rest } = definition
  const quiet: JobDefinition = { ...rest, deliver: [] }
  return { name: job, file, definition: quiet, version: digestOf(quiet) }
}
