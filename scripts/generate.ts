import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { NAMES, type HeldAgainst } from '../src/config/names/table.ts'
import { configSchema } from '../src/config/schema.ts'
import { takesOf } from '../src/config/takes.ts'
import { EXIT, FAILURES, type FailureKind } from '../src/core/failure-codes.ts'
import { caseFileSchema } from '../src/eval/cases/cases.ts'
import { jobSchema } from '../src/jobs/schema.ts'
import { minterSchema } from '../src/minter/config.ts'
import { FILES } from './files.ts'
import { JOB_NAMES, type JobName } from './job-names.ts'
import { keysOf, rangeText } from './reference.ts'
import { ALARM_STATES, FIRE_STATES, REPORT_STATES, RUN_STATES, type State } from '../src/core/rules/states.ts'
import { threatCells, THREATS } from './threats.ts'
import { cellsOf, WAITS } from './waits.ts'

const ROOT = join(import.meta.dirname, '..')
/** JSON Schema of a file format, which editors complete from. */
const editorSchema = (schema: z.ZodType, title: string): string =>
  `${JSON.stringify({ ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: withoutRange }), title }, null, 2)}\n`

/** The ends of a duration are no keywords of JSON Schema. */
function withoutRange({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema['least']
  delete jsonSchema['most']
}

export const jobJsonSchema = (): string => editorSchema(jobSchema, 'A Nightshift job file')

/** The schemas that editors complete from, by file. */
export const SCHEMAS: Record<string, () => string> = {
  'config/job.schema.json': jobJsonSchema,
  'config/cases.schema.json': () => editorSchema(caseFileSchema, 'The cases of a Nightshift job'),
}

/** A table in Markdown. What would be a tag or the end of a cell is escaped. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(escapeCell).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const escapeCell = (cell: string | number) =>
  String(cell)
    .replaceAll('|', '\\|')
    .replaceAll(/`[^`]*`|</g, (found) => (found === '<' ? '&lt;' : found))

const EXIT_TEXT: Record<keyof typeof EXIT, string> = {
  ok: 'the command did its work; with `--follow`, the run succeeded',
  failed: 'the run failed; a check of `doctor` did; something stands in `status`',
  usage: 'wrong arguments, configuration, job file or input',
  evidence: 'audit lines that no request of ours explains',
  incomplete: 'there is an answer, but it is not green: a budget, a denial, a cut or an invalid output',
  waiting: 'a person must connect a server',
  cancelled: 'the run was cancelled',
  unavailable: 'the store or the queue does not answer',
}

const exitCodes = () =>
  table(
    ['code', 'meaning'],
    Object.entries(EXIT).map(([name, code]) => [code, Object.entries(EXIT_TEXT).find(([key]) => key === name)?.[1] ?? '']),
  )

const failureCodes = () =>
  table(
    ['code', 'what it means, and the cure', 'retried', 'HTTP', 'exit'],
    Object.entries(FAILURES).map(([code, { retry, http, exit, text, cure }]: [string, FailureKind]) => [
      `\`${code}\``,
      `${text} ${cure}`,
      retry,
      http,
      exit,
    ]),
  )

const roomsSchema = z.array(z.strictObject({ room: z.string(), purpose: z.string(), imports: z.array(z.string()) }))

/** Rooms and arrows, as lint holds them. */
async function rooms(): Promise<string> {
  const { ROOMS } = z.looseObject({ ROOMS: roomsSchema }).parse(await import(new URL('lint/house.js', import.meta.url).href))
  return table(
    ['room', 'why it exists', 'may import'],
    ROOMS.map(({ room, purpose, imports }) => [`\`${room}/\``, purpose, imports.join(', ') || 'nothing of ours']),
  )
}

/** What we wait for, and for how long. */
const waits = () => table(['what is waited for', 'at most', 'then', 'set in'], WAITS.map(cellsOf))

/** Who can do what to the record. */
const threats = () => table(['who', 'does what to the record', 'what notices it, when and for whom', 'shown by'], THREATS.map(threatCells))

/** The states of one thing, with the way out of each. */
const states = (rows: readonly State[]) => () =>
  table(
    ['state', 'moved on by', 'at the latest', 'who is told'],
    rows.map(({ status, when, movedBy, by, told }) => [when === undefined ? status : `${status}: ${when}`, movedBy, by, told]),
  )

/** What is named by a path, and when a change of it counts. */
const files = () =>
  table(
    ['key', 'when what stands under the path changes'],
    FILES.map(({ key, change }) => [`\`${key}\``, change]),
  )

const HELD: Record<HeldAgainst, string> = {
  'given here': 'This line gives the name.',
  'the file': 'It has to be given in this file, which is refused otherwise.',
  'job files': 'It has to be a job: `start` and `jobs check` refuse it otherwise, and a running process warns.',
  slips: 'A warning where it is of no job, and nearly a name that one uses.',
  outside: 'Others alone know what it means.',
}

/** The names in the configuration, and what they are held against. */
const names = () =>
  table(
    ['key', 'is the name of', 'what it is held against'],
    Object.entries(NAMES).map(([key, { of, against }]) => [`\`${key}\``, of, HELD[against]]),
  )

const HELD_IN_JOBS: Record<JobName['against'], string> = {
  'the configuration': 'The configuration, when the file is read.',
  'the file': 'This file and what stands beside it, when it is read.',
  'time zones': 'The IANA time zones, when the file is read.',
  'the gateway': 'What the account finds behind Pomerium: by `jobs check --live` and `doctor`, and before the first turn of a run.',
  'the provider': 'The provider: by `jobs check --live` and `doctor`, and at the first turn.',
  nothing: 'Nothing: a pattern may be of what is to come.',
}

/** The same in a job file. */
const jobNames = () =>
  table(
    ['key', 'is the name of', 'what it is held against'],
    Object.entries(JOB_NAMES).map(([key, { of, against }]) => [`\`${key}\``, of, HELD_IN_JOBS[against]]),
  )

/** The reference of a file format. */
const reference = (schema: z.ZodType) => () =>
  table(
    ['key', 'type', 'default', 'range', 'what it says'],
    keysOf(schema).map(({ key, type, default: value, range, sentence }) => [`\`${key}\``, type, value, rangeText(range), sentence]),
  )

/** The same of the configuration, with when a changed value is in force. */
const configReference = () =>
  table(
    ['key', 'type', 'default', 'range', 'a change is in force', 'what it says'],
    keysOf(configSchema).map(({ key, type, default: value, range, sentence }) => [
      `\`${key}\``,
      type,
      value,
      rangeText(range),
      takesOf(key),
      sentence,
    ]),
  )

/** The parts of documents that are made from the code: by file, and by the name of their markers. */
export const DOCUMENTS: Record<string, Record<string, () => string | Promise<string>>> = {
  'docs/failures.md': { 'exit codes': exitCodes, 'failure codes': failureCodes },
  'docs/configuration.md': {
    files,
    names,
    'configuration reference': configReference,
    'minter reference': reference(minterSchema),
  },
  'docs/jobs.md': { 'job reference': reference(jobSchema), names: jobNames },
  'docs/eval.md': { 'case reference': reference(caseFileSchema) },
  'SECURITY.md': { threats },
  'ARCHITECTURE.md': {
    rooms,
    waits,
    'run states': states(RUN_STATES),
    'fire states': states(FIRE_STATES),
    'report states': states(REPORT_STATES),
    'alarm states': states(ALARM_STATES),
  },
}

/** A document as it should be: the text with its parts made again. Throws when one has no markers. */
export async function withTables(file: string, text: string): Promise<string> {
  let made = text
  for (const [name, make] of Object.entries(DOCUMENTS[file] ?? {})) {
    const begin = `<!-- begin ${name}: made by npm run generate -->`
    const end = `<!-- end ${name} -->`
    const [head, rest] = made.split(begin)
    const tail = rest?.split(end)[1]
    if (tail === undefined) throw new Error(`${file} lacks the markers of ${name}`)
    made = `${head}${begin}\n${await make()}\n${end}${tail}`
  }
  return made
}

/** The text of a document of the repository. */
export const readDocument = (file: string) => readFileSync(join(ROOT, file), 'utf8')

if (import.meta.main) {
  for (const [file, make] of Object.entries(SCHEMAS)) writeFileSync(join(ROOT, file), make())
  for (const file of Object.keys(DOCUMENTS)) writeFileSync(join(ROOT, file), await withTables(file, readDocument(file)))
}
