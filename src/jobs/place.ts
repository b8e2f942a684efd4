import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'
import type { Job } from './job.ts'
import { show } from './load.ts'

/** A line about a field of a job, with file and line as the file is now: what is found later than the file was read. */
export function showAt({ file }: Pick<Job, 'file'>, path: readonly string[], message: string): string {
  const parsed = parseYaml(readFileSync(file, 'utf8'), z.unknown())
  return showIssue(show(file), { line: parsed.ok ? parsed.place.lineOf(path) : 1, field: path.join('.'), message })
}
