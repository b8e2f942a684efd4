import { hasChoice, wrapSchema } from '../../lib/schema/parameters.ts'
import { typesOf, type Schema } from '../../lib/schema/shape.ts'

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
  if (hasChoice(body)) return { schema, parameters: wrapSchema(body, 'input'), wrapped: true }
  const parameters = { ...body, type: 'object', properties: body['properties'] ?? {} }
  return { schema: { ...parameters, ...($schema !== undefined && { $schema }) }, parameters, wrapped: false }
}
