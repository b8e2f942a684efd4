import { isObject } from '../json/object.ts'
import type { Schema } from './shape.ts'

/** Keywords that OpenAI's strict mode takes, beside those that hold schemas. `minLength`, `uniqueItems`, `default` and all others are refused there. */
const TAKEN = new Set([
  'type',
  'title',
  'description',
  'required',
  'enum',
  'const',
  'format',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
])
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'])
/** Schemas by name. */
const NAMED = ['properties', '$defs', 'definitions']
const MAX_DEPTH = 10
const MAX_PROPERTIES = 5000
const MAX_VALUES = 1000
const MAX_CHARACTERS = 120_000
/** Of one enum with more values than this, the most characters of all of them. */
const MANY_VALUES = 250
const MAX_OF_MANY = 15_000

/**
 * Whether OpenAI's strict mode takes a schema as it is: an object at the root, each object closed and with every key required, and no keyword that the mode does not know.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
export function fitsStrictMode(schema: Schema): boolean {
  const { $schema: _, ...root } = schema
  const sum = { properties: 0, values: 0, characters: 0 }
  return (
    root['type'] === 'object' &&
    isTaken(root, 0, sum) &&
    sum.properties <= MAX_PROPERTIES &&
    sum.values <= MAX_VALUES &&
    sum.characters <= MAX_CHARACTERS
  )
}

type Sum = { properties: number; values: number; characters: number }

function isTaken(schema: unknown, depth: number, sum: Sum): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false
  if ('$ref' in schema) return typeof schema['$ref'] === 'string' && schema['$ref'].startsWith('#') && Object.keys(schema).length === 1
  if (!['type', 'enum', 'const', 'anyOf'].some((keyword) => keyword in schema)) return false
  return Object.entries(schema).every(([keyword, value]) => isKeywordTaken(keyword, value, depth, sum)) && isClosed(schema)
}

function isKeywordTaken(keyword: string, value: unknown, depth: number, sum: Sum): boolean {
  if (NAMED.includes(keyword)) {
    if (!isObject(value)) return false
    const names = Object.keys(value)
    sum.characters += names.join('').length
    if (keyword === 'properties') sum.properties += names.length
    return names.every((name) => isTaken(value[name], depth + 1, sum))
  }
  switch (keyword) {
    case 'items':
      return isTaken(value, depth + 1, sum)
    case 'anyOf':
      return Array.isArray(value) && value.every((one) => isTaken(one, depth + 1, sum))
    case 'additionalProperties':
      return value === false
    case 'enum':
      return (
        Array.isArray(value) &&
        value.every((one) => isPlain(one, sum)) &&
        (value.length <= MANY_VALUES || value.join('').length <= MAX_OF_MANY)
      )
    case 'const':
      return isPlain(value, sum)
    case 'format':
      return FORMATS.has(String(value))
    case 'pattern':
      // It looks neither around nor back.
      return typeof value === 'string' && !/\(\?|\\[1-9k]/.test(value)
    default:
      return TAKEN.has(keyword)
  }
}

function isPlain(value: unknown, sum: Sum): boolean {
  sum.values++
  sum.characters += String(value).length
  return typeof value !== 'object' || value === null
}

/** An object names all its keys and needs each; a list says what it holds. */
function isClosed(schema: Schema): boolean {
  const { type, properties, required, additionalProperties } = schema
  const types = [type].flat()
  if (types.includes('array') && !('items' in schema)) return false
  if (!types.includes('object')) return !('properties' in schema)
  const needed = new Set(Array.isArray(required) ? required : [])
  return additionalProperties === false && isObject(properties) && Object.keys(properties).every((key) => needed.has(key))
}
