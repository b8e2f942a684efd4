import { secretLines } from '../../lib/secret-lines.ts'
import type { FileIssue, Place } from '../../lib/yaml/file.ts'
import type { Fault } from '../faults/fault.ts'
import { optionalFaults } from '../faults/texts.ts'
import type { JobDefinition } from '../schema.ts'
import { limitWarnings } from './limits.ts'
import { scheduleWarnings } from './schedule.ts'
import { schemaWarnings } from './schemas.ts'
import { templateWarnings } from './templates.ts'
import { toolWarnings } from './tools.ts'

/** What a job can be read with, and hardly means. */
export function warningsOf(text: string, name: string, definition: JobDefinition, place: Place): FileIssue[] {
  const found: Fault[] = [
    ...cutOff(place),
    ...templateWarnings(definition),
    ...optionalFaults(name, definition),
    ...scheduleWarnings(definition),
    ...toolWarnings(definition),
    ...schemaWarnings(definition),
    ...limitWarnings(definition),
  ]
  return [
    ...secretWarnings(text),
    ...found.map(({ path, message, textLine }) => ({ line: place.lineOf(path, textLine), field: path.join('.'), message })),
  ]
}

const secretWarnings = (text: string): FileIssue[] =>
  secretLines(text).map(({ line, what }) => ({
    line,
    field: '',
    message: `has what looks like ${what}; whoever reads the file has it, and so has the model: take it out, and change it`,
  }))

const cutOff = (place: Place): Fault[] =>
  (['prompt', 'instructions'] as const)
    .filter((field) => place.endsInComment([field]))
    .map((field) => ({ path: [field], message: 'ends before the #, where a comment begins; put the text in quotes if it goes on' }))
