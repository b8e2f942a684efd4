import type { FileIssue, Place } from '../../lib/yaml/file.ts'
import { issueOf, type Fault } from '../faults/fault.ts'
import { optionalFaults } from '../faults/texts.ts'
import type { JobDefinition } from '../schema.ts'
import { limitWarnings } from './limits.ts'
import { scheduleWarnings } from './schedule.ts'
import { schemaWarnings } from './schemas.ts'
import { secretWarnings } from './secrets.ts'
import { cutOff, templateWarnings } from './templates.ts'
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
  return [...secretWarnings(text), ...found.map((one) => issueOf(one, place))]
}
