// @ts-nocheck
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { EXIT, FAILURES } from '../src/core/failure.ts'
import { jobSchema } from '../src/jobs/schema.ts'

const ROOT = join(import.meta.dirname, '..')
export const JOB_SCHEMA_FILE = join(ROOT, 'config/job.schema.json')

/** JSON Schema of the job file format, which editors complete from. */
export function jobJsonSchema(): string {
  return `${JSON.stringify({ ...z.toJSONSchema(jobSchema, { io: 'input', unrepresentable: 'any' }), title: 'A Nightshift job file' }, null, 2)}\n`
}

/** A table in Markdown. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const EXIT_TEXT: Record<keyof typeof EXIT, string> = {
  ok: 'the command did its work; with `--follow`, the run succeeded',
  failed: 'the run failed',
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
    Object.entries(FAILURES).map(([code, { retry, http, exit, text, cure }]) => [`\`${code}\``, `${text} ${cure}`, retry, http, exit]),
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

/** The parts of documents that are made from the code: by file, and by the name of their markers. */
export const DOCUMENTS: Record<string, Record<string, () => string | Promise<string>>> = {
  'README.md': { 'exit codes': exitCodes, 'failure codes': failureCodes },
  'ARCHITECTURE.md': { rooms },
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
  writeFileSync(JOB_SCHEMA_FILE, jobJsonSchema())
  for (const file of Object.keys(DOCUMENTS)) writeFileSync(join(ROOT, file), await withTables(file, readDocument(file)))
}
