import { z } from 'zod'
import { digestOf } from '../lib/hash/digest.ts'
import { withoutDefaults } from '../lib/schema/defaults.ts'
import { definitionSchema, zoneOf, type JobDefinition } from './schema.ts'

export interface Job {
  /** Name of the file without its ending. */
  name: string
  file: string
  definition: JobDefinition
  /** What a row keeps of the definition: all but what is as by default. A version of Nightshift that does not know a field yet reads a job that makes no use of it. */
  kept: unknown
  /** Digest of what is kept: the same work has the same version, however the file is laid out, and in the next version of Nightshift. */
  version: string
}

export function createJob({ name, file, definition }: Pick<Job, 'name' | 'file' | 'definition'>): Job {
  const kept = keptOf(definition)
  return { name, file, definition, kept, version: digestOf(kept) }
}

let schema: unknown

function keptOf(definition: JobDefinition): unknown {
  schema ??= z.toJSONSchema(definitionSchema, { io: 'input', unrepresentable: 'any' })
  const { timezone, ...rest } = definition
  return withoutDefaults(timezone === zoneOf(rest) ? rest : definition, schema)
}
