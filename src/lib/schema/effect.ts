// What a schema that is valid says to no effect, or so that nothing fits it.
import { isObject } from '../json/object.ts'
import type { KeywordFault } from './keywords.ts'
import { typesOf, type Schema } from './shape.ts'
import { schemasIn } from './walk.ts'

/** Keywords that are a least and a most of the same; `strict` where the two may not be equal. */
const RANGES = [
  { least: 'minimum', most: 'maximum' },
  { least: 'exclusiveMinimum', most: 'maximum', strict: true },
  { least: 'minimum', most: 'exclusiveMaximum', strict: true },
  { least: 'exclusiveMinimum', most: 'exclusiveMaximum', strict: true },
  { least: 'minLength', most: 'maxLength' },
  { least: 'minItems', most: 'maxItems' },
  { least: 'minProperties', most: 'maxProperties' },
] as const

/** Parts of a schema that no value fits. */
export function contradictions(root: Schema): KeywordFault[] {
  return [...schemasIn(root)].flatMap(({ schema, path }) => {
    const faults: KeywordFault[] = []
    for (const { least, most, ...rest } of RANGES) {
      const [low, high] = [schema[least], schema[most]]
      if (typeof low !== 'number' || typeof high !== 'number' || low < high || (low === high && !('strict' in rest))) continue
      faults.push({ path: [...path, least], message: `is ${low}, and ${most} is ${high}: nothing fits both; correct one of them` })
    }
    const types = typesOf(schema)
    const { enum: values } = schema
    const given = 'const' in schema ? [schema['const']] : Array.isArray(values) ? values : []
    const keyword = 'const' in schema ? 'const' : 'enum'
    if ('type' in schema && given.length > 0 && !given.some((one) => types.some((type) => isOfType(one, type))))
      faults.push({
        path: [...path, keyword],
        message: `has no value of the type ${types.join(' or ')}: nothing fits; correct the type, or write ${types.includes('string') ? 'the values in quotes' : 'the values without quotes'}`,
      })
    return faults
  })
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    default:
      return typeof value === type
  }
}

const OF_NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
const OF_TEXTS = ['minLength', 'maxLength', 'pattern']
const OF_LISTS = ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains']
const OF_OBJECTS = [
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
]

/** Keywords by the types of value that they say something of. */
const FOR_TYPES = [
  { keywords: OF_NUMBERS, types: ['number', 'integer'] },
  { keywords: OF_TEXTS, types: ['string'] },
  { keywords: OF_LISTS, types: ['array'] },
  { keywords: OF_OBJECTS, types: ['object'] },
]

/** Words of one type, by what the same is called for another. */
const SAME: Record<string, Record<string, string>> = {
  minimum: { string: 'minLength', array: 'minItems' },
  maximum: { string: 'maxLength', array: 'maxItems' },
  minLength: { integer: 'minimum', number: 'minimum', array: 'minItems' },
  maxLength: { integer: 'maximum', number: 'maximum', array: 'maxItems' },
  minItems: { string: 'minLength' },
  maxItems: { string: 'maxLength' },
}

/** Keywords under which a schema says only a part of what another one says. */
const PARTS = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas']

/** What a validator passes over: keywords of another type, and of other formats of schemas. */
export function idleKeywords(root: Schema): KeywordFault[] {
  return [...schemasIn(root)].flatMap(({ schema, path }) => {
    const faults: KeywordFault[] = []
    const types = typesOf(schema)
    if ('type' in schema)
      for (const { keywords, types: wanted } of FOR_TYPES)
        for (const keyword of keywords)
          if (keyword in schema && !types.some((type) => wanted.includes(type)))
            faults.push({ path: [...path, keyword], message: idle(keyword, types, wanted) })
    if (schema['nullable'] === true && types.length > 0)
      faults.push({
        path: [...path, 'nullable'],
        message: `is of OpenAPI, and no keyword of JSON Schema; write type: [${types.join(', ')}, 'null']`,
      })
    const isWhole = !path.some((part) => PARTS.includes(part)) && !PARTS.some((keyword) => keyword in schema)
    if (isWhole && 'properties' in schema && !('type' in schema) && !('$ref' in schema))
      faults.push({ path: [...path, 'properties'], message: 'stands without type: object, so that a text or a list fits as well; add it' })
    return faults
  })
}

function idle(keyword: string, types: readonly string[], wanted: readonly string[]): string {
  if (keyword === 'items' && types.includes('object'))
    return 'says nothing of the type object; write properties: { <name>: { … } }, or type: array for a list'
  const same = SAME[keyword]?.[types[0] ?? '']
  const cure = same === undefined ? `take it out, or write type: ${wanted.at(-1)}` : `did you mean ${same}?`
  return `says nothing of the type ${types.join(' or ')}; ${cure}`
}
