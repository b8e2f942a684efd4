import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../json/object.ts'

/** A value without the fields that are as its JSON Schema's `default` says, at any depth that the schema describes. What it does not describe stays as it is. */
export function withoutDefaults(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value
  if (Array.isArray(value)) return value.map((item) => withoutDefaults(item, schema['items']))
  if (!isObject(value)) return value
  const { properties, additionalProperties } = schema
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => {
      const own = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
      const left = withoutDefaults(field, own)
      return left === undefined || (isObject(own) && 'default' in own && isDeepStrictEqual(left, own['default'])) ? [] : [[key, left]]
    }),
  )
}
