import { idleKeywords } from '../../lib/schema/effect.ts'
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'

/** What the schemas of a job say to no effect. An input is a mapping, whatever its schema says. */
export function schemaWarnings({ input, output }: Pick<JobDefinition, 'input' | 'output'>): Fault[] {
  const of = (schema: Record<string, unknown> | undefined, path: readonly string[]): Fault[] =>
    schema ? idleKeywords(schema).map((one) => ({ path: [...path, ...one.path], message: one.message })) : []
  return [...of(input && { type: 'object', ...input }, ['input']), ...of(output?.schema, ['output', 'schema'])]
}
