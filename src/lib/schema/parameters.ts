// Schemas as the parameters of a tool: providers take an object at the root, without a choice.
import { isObject } from '../json/object.ts'
import { nodeAt, sourceOf, treeOf } from '../json/tree.ts'
import { NAMED_SCHEMAS, type Schema } from './shape.ts'

/** Keywords that providers refuse at the root of a tool's parameters, or do not follow there. */
const CHOICES = ['oneOf', 'anyOf', 'allOf', 'not', 'if', 'enum', 'const', '$ref']

export const hasChoice = (schema: Schema): boolean => CHOICES.some((key) => key in schema)

/** The schema of an object whose one field has the schema given. */
export function wrapSchema(schema: Schema, key: string): Schema {
  const { inner, definitions } = moveSchema(schema, `#/properties/${key}`)
  return { type: 'object', properties: { [key]: inner }, required: [key], additionalProperties: false, ...definitions }
}

/** The JSON text of a field as it was written; undefined when it is not there. */
export function fieldOf(json: string, key: string): string | undefined {
  const tree = treeOf(json)
  const node = tree && nodeAt(tree, `/${key}`)
  return node && sourceOf(json, node)
}

/** Keywords whose values are data, not schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples'])

const DEFINITIONS = ['$defs', 'definitions']

/** A schema that will stand under `to` in another one: references from its root are moved with it. Its definitions belong at the root of the other one, where providers look for them. */
export function moveSchema(schema: Schema, to: string): { inner: Schema; definitions: Schema } {
  const moved = mapValues(schema, (key, one) => moveNamed(key, one, to))
  const isDefinition = ([key]: [string, unknown]) => DEFINITIONS.includes(key)
  const entries = Object.entries(moved)
  return {
    inner: Object.fromEntries(entries.filter((entry) => !isDefinition(entry))),
    definitions: Object.fromEntries(entries.filter(isDefinition)),
  }
}

function moveReferences(schema: unknown, to: string): unknown {
  if (Array.isArray(schema)) return schema.map((one) => moveReferences(one, to))
  if (!isObject(schema)) return schema
  return mapValues(schema, (key, one) => moveNamed(key, one, to))
}

function moveNamed(key: string, value: unknown, to: string): unknown {
  if (DATA.has(key)) return value
  if (NAMED_SCHEMAS.includes(key) && isObject(value)) return mapValues(value, (_, named) => moveReferences(named, to))
  return key === '$ref' && typeof value === 'string' ? moveReference(value, to) : moveReferences(value, to)
}

function moveReference(ref: string, to: string): string {
  if (!/^#(\/|$)/.test(ref) || DEFINITIONS.some((key) => ref.startsWith(`#/${key}/`))) return ref
  return `${to}${ref.slice(1)}`
}

const mapValues = (object: Schema, change: (key: string, value: unknown) => unknown): Schema =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(key, value)]))
