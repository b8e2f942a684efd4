import { isObject } from '../json/object.ts'
import { nearest, suggest } from '../near.ts'
import { patternFault } from './linear.ts'
import { definitionOf, NAMED_SCHEMAS, typesOf, type Schema } from './shape.ts'
import { MANY, ONE, schemasIn } from './walk.ts'

/** What is wrong with a schema that a person wrote, at its path. */
export interface KeywordFault {
  path: string[]
  message: string
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
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
export const KEYWORDS: readonly string[] = [...OTHER, ...ONE, ...MANY, ...NAMED_SCHEMAS]

/**
 * What a validator would pass over without a word, so that it checks less than was meant: keywords, types and formats that do not exist, and required names that no property
 * has; and what it would refuse as a whole without its place: patterns and references. Keywords of one's own begin with `x-`.
 */
export function keywordFaults(schema: Schema, formats: readonly string[]): KeywordFault[] {
  const faults: KeywordFault[] = []
  const definitions = definitionsOf(schema)
  const hasIds = [...schemasIn(schema)].some((one) => '$id' in one.schema)
  for (const { schema: value, path } of schemasIn(schema)) {
    const add = (keyword: string, message: string) => faults.push({ path: [...path, keyword], message })
    for (const keyword of Object.keys(value))
      if (!KEYWORDS.includes(keyword) && !keyword.startsWith('x-'))
        add(
          keyword,
          `is no keyword of JSON Schema${path.length === 0 && !('properties' in value) ? wordOrField(keyword, value[keyword]) : wordFor(keyword)}`,
        )
    for (const type of typesOf(value)) if (!TYPES.includes(type)) add('type', `is ${type}, which is no type; ${typeFor(type)}`)
    if (typeof value['required'] === 'boolean') add('required', requiredAt(value['required'], path.at(-1) ?? 'name', parentOf(path)))
    for (const name of missingNames(value))
      add('required', `names ${name}, which is not under properties; ${suggest(name, Object.keys(value['properties'] ?? {}))}`)
    lookAtTexts(value, add)
  }
  return faults

  function parentOf(path: readonly string[]): Schema | undefined {
    const above = path.slice(0, -2)
    return [...schemasIn(schema)].find((one) => one.path.length === above.length && one.path.every((part, at) => part === above[at]))
      ?.schema
  }

  function lookAtTexts(
    { format, pattern, $ref, patternProperties, enum: values }: Schema,
    add: (keyword: string, message: string) => void,
  ): void {
    if (typeof format === 'string' && !formats.includes(format))
      add('format', `is ${format}, which is no format; ${suggest(format, formats)}`)
    const wrong = (one: unknown) => (typeof one === 'string' ? patternFault(one) : undefined)
    const ofText = wrong(pattern)
    if (ofText !== undefined) add('pattern', `cannot be used: ${ofText}`)
    for (const one of Object.keys(isObject(patternProperties) ? patternProperties : {})) {
      const ofName = wrong(one)
      if (ofName !== undefined) add('patternProperties', `has ${one}, which cannot be used: ${ofName}`)
    }
    if (Array.isArray(values) && values.length === 0) add('enum', 'is empty, so that nothing fits; name the values, or take it out')
    if (typeof $ref === 'string' && !$ref.startsWith('#') && !hasIds)
      add('$ref', `is ${$ref}: other files and addresses are not read; put the schema under $defs, and write "#/$defs/<its name>"`)
    if (typeof $ref === 'string' && /^#\/[^%]*$/.test($ref) && definitionOf($ref, schema) === undefined)
      add(
        '$ref',
        `is ${$ref}, and nothing is there; ${definitions.length > 0 ? suggest($ref, definitions) : 'describe it under $defs of the schema'}`,
      )
  }
}

/** What to do about `required: true` or `false` at a field. */
function requiredAt(isRequired: boolean, field: string, parent: Schema | undefined): string {
  if (!isRequired) return 'is false; take it out: a field may be left out unless required: beside properties: names it'
  const named = parent?.['required']
  const isNamed = Array.isArray(named) && named.includes(field)
  return isNamed
    ? `is true; take it out: required: beside properties: names ${field} already`
    : `is true; take it out, and name the field beside properties: as in required: [${field}]`
}

const definitionsOf = (root: Schema): string[] =>
  ['$defs', 'definitions'].flatMap((keyword) => {
    const named = root[keyword]
    return isObject(named) ? Object.keys(named).map((name) => `#/${keyword}/${name}`) : []
  })

/** Words of people and of programs for types. */
const TYPE_WORDS: Record<string, string> = {
  text: 'string',
  str: 'string',
  date: 'string',
  int: 'integer',
  float: 'number',
  double: 'number',
  decimal: 'number',
  bool: 'boolean',
  list: 'array',
  mapping: 'object',
  map: 'object',
  dict: 'object',
  none: 'null',
}

function typeFor(type: string): string {
  const meant = TYPE_WORDS[type.toLowerCase()]
  return meant === undefined ? suggest(type, TYPES) : `did you mean ${meant}?`
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

/** At the top of a schema without properties, a field of the value that was meant. */
function wordOrField(keyword: string, value: unknown): string {
  const isField = isObject(value) || (typeof value === 'string' && TYPES.includes(value))
  if (!isField || nearest(keyword, KEYWORDS) !== undefined) return wordFor(keyword)
  const type = isObject(value) ? '…' : `type: ${value}`
  return `; a field stands under properties:, as { type: object, properties: { ${keyword}: { ${type} } } }`
}

/**
 * Required names that no property has: of an object that takes no others, which no value fits; and of any other, when one is a slip of the pen for a property, which is then
 * not required.
 */
function missingNames({ required, properties, patternProperties, additionalProperties }: Schema): string[] {
  if (patternProperties !== undefined || !Array.isArray(required)) return []
  const names = Object.keys(isObject(properties) ? properties : {})
  const others = names.filter((name) => !required.includes(name))
  return required.filter(
    (name) => typeof name === 'string' && !names.includes(name) && (additionalProperties === false || nearest(name, others) !== undefined),
  )
}
