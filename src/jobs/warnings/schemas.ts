import { idleKeywords } from '../../lib/schema/effect.ts'
import { NAMED_SCHEMAS } from '../../lib/schema/shape.ts'
import { schemasIn } from '../../lib/schema/walk.ts'
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'

/** What the schemas of a job say to no effect. An input is a mapping, whatever its schema says. */
export function schemaWarnings({ input, output }: Pick<JobDefinition, 'input' | 'output'>): Fault[] {
  const of = (schema: Record<string, unknown> | undefined, path: readonly string[]): Fault[] =>
    schema ? idleKeywords(schema).map((one) => ({ path: [...path, ...one.path], message: one.message })) : []
  return [
    ...of(input && { type: 'object', ...input }, ['input']),
    ...(input ? idleDefaults(input) : []),
    ...of(output?.schema, ['output', 'schema']),
  ]
}

const IDLE = 'is given to no run: a default counts under properties: and items:, and not within anyOf, oneOf, not or if'
const CHOICES = ['anyOf', 'oneOf', 'not', 'if']
const FILLED = ['properties', 'items', 'prefixItems']

/** Defaults of an input where a validator passes over them. Of a definition it is not known where it is used. */
function idleDefaults(input: Record<string, unknown>): Fault[] {
  return [...schemasIn(input)].flatMap(({ schema, path }) => {
    const keywords = keywordsOf(path)
    if (!('default' in schema) || keywords.some((one) => one === '$defs' || one === 'definitions')) return []
    const counts = FILLED.includes(keywords.at(-1) ?? '') && !keywords.some((one) => CHOICES.includes(one))
    return counts ? [] : [{ path: ['input', ...path, 'default'], message: IDLE }]
  })
}

/** The keywords on a path through a schema, without the names of an author and the numbers of entries. */
function keywordsOf([keyword, ...rest]: readonly string[]): string[] {
  if (keyword === undefined) return []
  const isNamed = NAMED_SCHEMAS.includes(keyword) || /^\d+$/.test(rest[0] ?? '')
  return [keyword, ...keywordsOf(isNamed ? rest.slice(1) : rest)]
}
