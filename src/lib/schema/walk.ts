import { isObject } from '../json/object.ts'
import { NAMED_SCHEMAS, type Schema } from './shape.ts'

/** Keywords with one schema, with a list of schemas (or one), and with schemas by name. */
export const ONE = [
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'additionalItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'contentSchema',
]
export const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']

/** A schema within another one, at its path from the root. */
export interface Within {
  schema: Schema
  path: string[]
}

/** A schema and all that stand in it, each before those in it. */
export function* schemasIn(value: unknown, path: string[] = []): Generator<Within> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) yield* schemasIn(one, [...path, String(at)])
    return
  }
  if (!isObject(value)) return
  yield { schema: value, path }
  for (const keyword of [...ONE, ...MANY]) yield* schemasIn(value[keyword], [...path, keyword])
  for (const keyword of NAMED_SCHEMAS) {
    const named = value[keyword]
    if (isObject(named)) for (const name of Object.keys(named)) yield* schemasIn(named[name], [...path, keyword, name])
  }
}
