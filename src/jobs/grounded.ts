import { isObject } from '../lib/json/object.ts'
import { nearest, suggest } from '../lib/near.ts'
import { typesOf, type Schema } from '../lib/schema/shape.ts'

/** Keywords by which a schema says in another place what may stand there: such a path is believed. */
const ELSEWHERE = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'prefixItems', 'patternProperties']

/** Why a path, such as `rows.*.rate`, names nothing that an answer of this schema can hold; undefined when it can. */
export function pathFault(path: string, root: Schema): string | undefined {
  let at: unknown = root
  for (const part of path.split('.')) {
    if (!isObject(at) || ELSEWHERE.some((keyword) => isObject(at) && keyword in at)) return undefined
    const types = typesOf(at)
    const isPlace = part === '*' || /^\d+$/.test(part)
    if (types.length === 1 && types[0] === 'array') {
      if (!isPlace) return `has ${part} where a list is; write * for each of its values`
      at = at['items']
      continue
    }
    if (types.length === 1 && types[0] !== 'object') return `goes on with ${part} where the schema has a ${types[0]}`
    const properties: Schema = isObject(at['properties']) ? at['properties'] : {}
    if (Object.hasOwn(properties, part)) at = properties[part]
    else if (part !== '*' && isUnknown(part, at, properties)) return `names ${part}; ${suggest(part, Object.keys(properties))}`
    else return undefined
  }
  return undefined
}

/** An object that takes no others has no such property; of any other, a slip of the pen for one of its properties is one. */
const isUnknown = (part: string, { additionalProperties }: Schema, properties: Schema): boolean =>
  additionalProperties === false || nearest(part, Object.keys(properties)) !== undefined
