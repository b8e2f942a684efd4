import { messageOf } from '../../core/failure.ts'
import { contradictions } from '../../lib/schema/effect.ts'
import { compileSchema, invalidParts, knownFormats } from '../../lib/schema/json-schema.ts'
import { keywordFaults } from '../../lib/schema/keywords.ts'
import { schemasIn } from '../../lib/schema/walk.ts'
import type { Fault } from './fault.ts'

/** Values that the schema of an input puts in the place of what is left out, and that it would refuse itself. */
export function defaultFaults(input: Record<string, unknown>): Fault[] {
  const { $defs, definitions, $schema } = input
  const beside = Object.fromEntries(Object.entries({ $schema, $defs, definitions }).filter(([, value]) => value !== undefined))
  return [...schemasIn(input)].flatMap(({ schema, path }) => {
    if (!('default' in schema)) return []
    const misfit = compileSchema({ ...schema, ...beside })(schema['default'])?.replaceAll(/(?<=^|; )\/ /g, 'it ')
    return misfit === undefined ? [] : [{ path: [...path, 'default'], message: `does not fit its own schema: ${misfit}` }]
  })
}

/** What is wrong with a schema of the job: each fault at its place, or else why it cannot be used as a whole. */
export function schemaFaults(schema: Record<string, unknown>): Fault[] {
  const unknown = keywordFaults(schema, knownFormats())
  if (unknown.length > 0) return unknown
  const invalid = invalidParts(schema)
  if (invalid.length > 0) return invalid.map(({ path, message }) => ({ path: path.split('/').slice(1), message }))
  try {
    compileSchema(schema)
    return contradictions(schema)
  } catch (error) {
    return [{ path: [], message: `is not a valid JSON Schema: ${messageOf(error)}` }]
  }
}
