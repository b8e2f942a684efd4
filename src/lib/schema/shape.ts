import { isObject } from '../json/object.ts'

const MAX_DEPTH = 4
const MAX_NAMED = 20
const MAX_PARTS = 200

export type Schema = Record<string, unknown>

/** Keywords under which schemas stand by names of the author's choice. */
export const NAMED_SCHEMAS: readonly string[] = ['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions']

/**
 * A JSON Schema as a short type, in the notation of TypeScript: `{ id: string; total?: number }[]`. What it cannot say, and what is nested deep or comes after
 * many other parts, is `any`. References are looked up in the root's `$defs` and `definitions`.
 */
export function shapeOf(schema: unknown, root: Schema): string {
  let parts = 0

  function alternatives(at: unknown, depth: number): string[] {
    if (!isObject(at) || depth > MAX_DEPTH || ++parts > MAX_PARTS) return ['any']
    const { $ref, enum: values, anyOf, oneOf } = at
    if (typeof $ref === 'string') return alternatives(definitionOf($ref, root), depth + 1)
    if ('const' in at) return [JSON.stringify(at['const'])]
    if (Array.isArray(values)) return values.map((one) => JSON.stringify(one))
    const choice = anyOf ?? oneOf
    if (Array.isArray(choice)) return choice.slice(0, MAX_NAMED + 1).flatMap((one) => alternatives(one, depth + 1))
    const types = typesOf(at)
    return types.length === 0 ? ['any'] : types.map((type) => ofType(type, at, depth))
  }

  function ofType(type: string, at: Schema, depth: number): string {
    if (type === 'array') {
      const items = [...new Set(alternatives(at['items'], depth + 1))]
      return items.length > 1 ? `(${union(items)})[]` : `${items.join('')}[]`
    }
    return type === 'object' ? ofObject(at, depth) : type
  }

  function ofObject({ properties, required }: Schema, depth: number): string {
    const names = Object.keys(isObject(properties) ? properties : {})
    if (!isObject(properties) || names.length === 0) return 'object'
    const needed = new Set(Array.isArray(required) ? required : [])
    const shown = names
      .slice(0, MAX_NAMED)
      .map((name) => `${name}${needed.has(name) ? '' : '?'}: ${union(alternatives(properties[name], depth + 1))}`)
    return `{ ${shown.join('; ')}${names.length > shown.length ? '; …' : ''} }`
  }

  return union(alternatives(schema, 0))
}

function union(alternatives: readonly string[]): string {
  const all = [...new Set(alternatives)]
  return all.length <= MAX_NAMED ? all.join(' | ') : `${all.slice(0, MAX_NAMED).join(' | ')} | …`
}

/** The types that a schema names; from its keywords when it names none. */
export function typesOf(schema: Schema): string[] {
  const { type } = schema
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type.filter((one) => typeof one === 'string')
  if ('properties' in schema) return ['object']
  return 'items' in schema ? ['array'] : []
}

/** The schema that a local reference names. */
export function definitionOf(ref: string, root: Schema): unknown {
  if (!ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const part of ref.slice(1).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}
