// Which keys a schema knows, and where.
import { isObject } from '../json/object.ts'
import { z } from 'zod'

const described = new WeakMap<z.ZodType, unknown>()

function describe(schema: z.ZodType): unknown {
  const known = described.get(schema)
  if (known !== undefined) return known
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  described.set(schema, made)
  return made
}

/** The keys that a schema knows at a path; none where each name is one. */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown[] = [describe(schema)]
  for (const part of path) at = at.flatMap((one) => below(one, String(part)))
  return keysOf(at)
}

const keysOf = (schemas: readonly unknown[]): string[] => {
  const keys = schemas.flatMap(alternatives).flatMap(({ properties }) => Object.keys(properties ?? {}))
  return [...new Set(keys)].filter((key) => !key.startsWith('$'))
}

const MAX_DEPTH = 4

/** The paths at which a schema knows a key, with `<name>` for a key of the author's choice. */
export function placesOf(schema: z.ZodType, key: string): readonly string[][] {
  const known = indexes.get(schema) ?? indexOf(schema)
  indexes.set(schema, known)
  return known.get(key) ?? []
}

const indexes = new WeakMap<z.ZodType, ReadonlyMap<string, string[][]>>()

function indexOf(schema: z.ZodType): ReadonlyMap<string, string[][]> {
  const found = new Map<string, string[][]>()
  const walk = (at: unknown, path: readonly string[]): void => {
    if (path.length > MAX_DEPTH) return
    for (const { properties, additionalProperties, items } of alternatives(at)) {
      for (const [key, one] of Object.entries(isObject(properties) ? properties : {})) {
        found.set(key, [...(found.get(key) ?? []), [...path]])
        walk(one, [...path, key])
      }
      if (isObject(additionalProperties)) walk(additionalProperties, [...path, '<name>'])
      if (isObject(items)) walk(items, [...path, '0'])
    }
  }
  walk(describe(schema), [])
  return found
}

const alternatives = (schema: unknown): Record<string, unknown>[] =>
  isObject(schema) ? [schema, ...[schema['anyOf'] ?? [], schema['allOf'] ?? []].flat(2).flatMap(alternatives)] : []

const below = (schema: unknown, part: string): unknown[] =>
  alternatives(schema).flatMap(({ properties, additionalProperties, items }) =>
    isObject(properties) && Object.hasOwn(properties, part) ? [properties[part]] : [additionalProperties ?? items ?? []].flat(),
  )
