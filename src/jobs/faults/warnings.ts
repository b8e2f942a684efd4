import type { FileIssue, Place } from '../../lib/yaml/file.ts'
import type { JobDefinition } from '../schema.ts'
import { secretLines } from '../../lib/secret-lines.ts'
import { VARIABLES } from '../template/scope.ts'

/** What a job can be read with, and hardly means. */
export function warningsOf(text: string, definition: JobDefinition, place: Place): FileIssue[] {
  return [
    ...secretWarnings(text),
    ...(['prompt', 'instructions'] as const).flatMap((field) => textWarnings(field, definition[field], place)),
  ]
}

const secretWarnings = (text: string): FileIssue[] =>
  secretLines(text).map(({ line, what }) => ({
    line,
    field: '',
    message: `has what looks like ${what}; whoever reads the file has it, and so has the model: take it out, and change it`,
  }))

/** A variable of a template in the braces of another language. */
const OTHER_BRACES = new RegExp(`(?<![{$])\\$?\\{ ?(${VARIABLES.join('|')})\\b([^{}\\n]{0,40})\\}(?!\\})`, 'i')

function textWarnings(field: string, text: string | undefined, place: Place): FileIssue[] {
  const warnings: FileIssue[] = []
  const add = (message: string, textLine = 0) => warnings.push({ line: place.lineOf([field], textLine), field, message })
  if (place.endsInComment([field])) add('ends before the #, where a comment begins; put the text in quotes if it goes on')
  for (const [at, line] of (text ?? '').split('\n').entries()) {
    const [found, name = '', rest = ''] = OTHER_BRACES.exec(line) ?? []
    if (found !== undefined)
      add(`has ${found}, which the model is told as it stands; write {{ ${name.toLowerCase()}${rest.trimEnd()} }} for the value`, at + 1)
  }
  return warnings
}
