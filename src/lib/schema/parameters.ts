// Schemas as the parameters of a tool: providers take an object at the root, without a choice.
import { nodeAt, sourceOf, treeOf } from '../json/tree.ts'
import { isSchema, type Schema } from './shape.ts'

/** Keywords that providers refuse at the root of a tool's parameters, or do not follow there. */
const CHOICES = ['oneOf', 'anyOf', 'allOf', 'not', 'if', 'enum', 'const', '$ref']

export const hasChoice = (schema: Schema): boolean => CHOICES.some((key) => key in schema)

/** The schema of an object whose one field has the schema given. */
export const wrapSchema = (schema: Schema, key: string): Schema => ({
  type: 'object',
  properties: { [key]: moveReferences(schema, `#/properties/${key}`) },
  required: [key],
  additionalProperties: false,
})

/** The JSON text of a field as it was written; undefined when it is not there. */
export function fieldOf(json: string, key: string): string | undefined {
  const tree = treeOf(json)
  const node = tree && nodeAt(tree, `/${key}`)
  return node && sourceOf(json, node)
}

/** Keywords whose values are data, not schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples'])
/** Keywords under which schemas stand by names of the author's choice. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** A schema that stands under `to` in another one: its references from the root are moved with it. */
export function moveReferences(schema: unknown, to: string): unknown {
  if (Array.isArray(schema)) return schema.map((one) => moveReferences(one, to))
  if (!isSchema(schema)) return schema
  return mapValues(schema, (key, one) => {
    if (DATA.has(key)) return one
    if (NAMED.has(key) && isSchema(one)) return mapValues(one, (_, named) => moveReferences(named, to))
    if (key === '$ref' && typeof one === 'string' && /^#(\/|$)/.test(one)) return `${to}${one.slice(1)}`
    return moveReferences(one, to)
  })
}

const mapValues = (object: Schema, change: (key: string, value: unknown) => unknown): Schema =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(key, value)]))
