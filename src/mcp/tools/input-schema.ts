import { isSchema, typesOf, type Schema } from '../../lib/schema/shape.ts'

/** Keywords that providers refuse at the root of a tool's parameters, or do not follow there. */
const CHOICES = ['oneOf', 'anyOf', 'allOf', 'not', 'if', 'enum', 'const', '$ref']
/** Keywords whose values are data, not schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples'])
const DEFINITIONS = ['$defs', 'definitions']

export interface OfferedInput {
  /** What the arguments are checked against: the server's own schema, of an object. */
  schema: Schema
  /** What the provider is given. */
  parameters: Schema
  /** The arguments stand under `input` in what the provider is given. */
  wrapped: boolean
}

/**
 * The input schema of a tool as providers take it: an object at the root, without the dialect. One with a choice at the root is wrapped as `{ input: … }`.
 * Undefined for a schema that no object fits.
 */
export function offerInput(given: Schema | null | undefined): OfferedInput | undefined {
  const schema = given ?? {}
  const types = typesOf(schema)
  if (types.length > 0 && !types.includes('object')) return undefined
  const { $schema, ...body } = schema
  if (!CHOICES.some((key) => key in body)) {
    const parameters = { ...body, type: 'object', properties: body['properties'] ?? {} }
    return { schema: { ...parameters, ...($schema !== undefined && { $schema }) }, parameters, wrapped: false }
  }
  const inner = { ...body }
  const outer: Schema = { type: 'object', properties: { input: inner }, required: ['input'], additionalProperties: false }
  for (const key of DEFINITIONS) {
    if (!isSchema(inner[key])) continue
    outer[key] = moveReferences(inner[key])
    delete inner[key]
  }
  outer['properties'] = { input: moveReferences(inner) }
  return { schema, parameters: outer, wrapped: true }
}

/** References from the root of a schema that stands under `input` now. Definitions stay at the root. */
function moveReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moveReferences)
  if (!isSchema(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (DATA.has(key)) return [key, one]
      return [key, key === '$ref' && typeof one === 'string' ? moveReference(one) : moveReferences(one)]
    }),
  )
}

function moveReference(ref: string): string {
  if (ref !== '#' && !ref.startsWith('#/')) return ref
  return DEFINITIONS.some((key) => ref.startsWith(`#/${key}/`)) ? ref : `#/properties/input${ref.slice(1)}`
}
