import { isObject } from '../json/object.ts'
import { nearest, suggest } from '../near.ts'
import { NAMED_SCHEMAS, typesOf, type Schema } from './shape.ts'

/** What is wrong with a schema that a person wrote, at its path. */
export interface KeywordFault {
  path: string[]
  message: string
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
/** Keywords with one schema, with a list of schemas (or one), and with schemas by name. */
const ONE = [
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
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
const OTHER = [
  'type',
  'enum',
  'const',
  'required',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
  'dependentRequired',
  'dependencies',
  'contentEncoding',
  'contentMediaType',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'nullable',
  '$schema',
  '$id',
  '$ref',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$vocabulary',
  '$comment',
]
const KEYWORDS = [...OTHER, ...ONE, ...MANY, ...NAMED_SCHEMAS]

/**
 * What a validator would pass over without a word, so that it checks less than was meant: keywords, types and formats that do not exist, and required names of a closed object
 * that has no such property. Keywords of one's own begin with `x-`.
 */
export function keywordFaults(schema: Schema, formats: readonly string[]): KeywordFault[] {
  const faults: KeywordFault[] = []
  const look = (value: unknown, path: string[]): void => {
    if (Array.isArray(value)) return value.forEach((one, index) => look(one, [...path, String(index)]))
    if (!isObject(value)) return
    for (const keyword of Object.keys(value))
      if (!KEYWORDS.includes(keyword) && !keyword.startsWith('x-'))
        faults.push({ path: [...path, keyword], message: `is no keyword of JSON Schema${wordFor(keyword)}` })
    for (const type of typesOf(value))
      if (!TYPES.includes(type)) faults.push({ path: [...path, 'type'], message: `is ${type}, which is no type; ${suggest(type, TYPES)}` })
    if (typeof value['required'] === 'boolean')
      faults.push({ path: [...path, 'required'], message: `is ${value['required']}; it is a list of names that stands beside properties:` })
    const { format } = value
    if (typeof format === 'string' && !formats.includes(format))
      faults.push({ path: [...path, 'format'], message: `is ${format}, which is no format; ${suggest(format, formats)}` })
    for (const name of missingNames(value))
      faults.push({
        path: [...path, 'required'],
        message: `names ${name}, which is not under properties; ${suggest(name, Object.keys(value['properties'] ?? {}))}`,
      })
    for (const keyword of [...ONE, ...MANY]) look(value[keyword], [...path, keyword])
    for (const keyword of NAMED_SCHEMAS) {
      const named = value[keyword]
      if (isObject(named)) for (const name of Object.keys(named)) look(named[name], [...path, keyword, name])
    }
  }
  look(schema, [])
  return faults
}

/** Words of people and of other formats for keywords. */
const ALIASES: Record<string, string> = {
  optional: 'required',
  values: 'enum',
  regex: 'pattern',
  min: 'minimum',
  max: 'maximum',
  length: 'maxLength',
  example: 'examples',
  desc: 'description',
}

function wordFor(keyword: string): string {
  const meant = nearest(keyword, KEYWORDS) ?? ALIASES[keyword]
  return meant === undefined ? '; correct it, or take it out. A note of your own begins with x-' : `; did you mean ${meant}?`
}

/** Required names that nothing under `properties` explains, of an object that takes no others: no value fits it. */
function missingNames({ required, properties, patternProperties, additionalProperties }: Schema): string[] {
  if (additionalProperties !== false || patternProperties !== undefined || !Array.isArray(required)) return []
  return required.filter((name) => typeof name === 'string' && !(isObject(properties) && Object.hasOwn(properties, name)))
}
