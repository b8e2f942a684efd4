import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { EXIT, FAILURES } from '../src/core/failure.ts'
import { jobSchema } from '../src/jobs/schema.ts'

const ROOT = join(import.meta.dirname, '..')
export const JOB_SCHEMA_FILE = join(ROOT, 'config/job.schema.json')
export const README_FILE = join(ROOT, 'README.md')

/** JSON Schema of the job file format, which editors complete from. */
export function jobJsonSchema(): string {
  return `${JSON.stringify({ ...z.toJSONSchema(jobSchema, { io: 'input', unrepresentable: 'any' }), title: 'A Nightshift job file' }, null, 2)}\n`
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

/** The tables of the README that are made from the code, by the name of their markers. */
export function readmeTables(): Record<string, string> {
  const exits = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${Object.entries(EXIT_TEXT).find(([key]) => key === name)?.[1]} |`)
  const failures = Object.entries(FAILURES).map(
    ([code, { retry, http, exit, text, cure }]) => `| \`${code}\` | ${text} ${cure} | ${retry} | ${http} | ${exit} |`,
  )
  return {
    'exit codes': ['| code | meaning |', '|---|---|', ...exits].join('\n'),
    'failure codes': ['| code | what it means, and the cure | retried | HTTP | exit |', '|---|---|---|---|---|', ...failures].join('\n'),
  }
}

/** The README with its tables as they should be. */
export function withTables(readme: string): string {
  return Object.entries(readmeTables()).reduce((text, [name, table]) => {
    const begin = `<!-- begin ${name}: made by npm run generate -->`
    const end = `<!-- end ${name} -->`
    const [head, rest] = text.split(begin)
    const tail = rest?.split(end)[1]
    if (tail === undefined) throw new Error(`README.md lacks the markers of ${name}`)
    return `${head}${begin}\n${table}\n${end}${tail}`
  }, readme)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(JOB_SCHEMA_FILE, jobJsonSchema())
  writeFileSync(README_FILE, withTables(readFileSync(README_FILE, 'utf8')))
}
