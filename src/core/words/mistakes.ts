import { isObject } from '../../lib/json/object.ts'
import { distance } from 'fastest-levenshtein'
import type { SchemaFault } from '../../lib/schema/json-schema.ts'
import { isNear, nearest } from '../../lib/near.ts'
import { formatSample, sampleOf } from '../../lib/schema/sample.ts'
import { shapeOf, typesOf, type Schema } from '../../lib/schema/shape.ts'

// What a model reads of a call that it got wrong and that was never sent, in the words of Nightshift; golden tests hold each of them. Each says what is wrong, what
// stands there, and what would fit, so that the next call can be right.

const MAX_VALUE = 80
const MAX_FAULTS = 5
const MAX_NAMED = 12
const MAX_SCHEMA = 4000
/** Most bytes of what is said of a tool that does not exist. */
const MAX_UNKNOWN_TOOL = 300

/** Cuts a text, and says so. */
export const short = (text: string, most = MAX_VALUE): string => (text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`)
const json = (value: unknown): string => short(JSON.stringify(value) ?? 'nothing')
const list = (values: readonly unknown[]): string =>
  `${values.slice(0, MAX_NAMED).map(json).join(', ')}${values.length > MAX_NAMED ? ` and ${values.length - MAX_NAMED} more` : ''}`

/** The arguments of a tool do not fit its schema, `root`. With `whole`, the schema is given again: the second try was wrong as well. */
export function argumentFaults(tool: string, faults: readonly SchemaFault[], root: Schema, whole: boolean): string {
  const lines = faults.slice(0, MAX_FAULTS).map((fault) => `- ${faultText(fault, root)}`)
  const more = faults.length > MAX_FAULTS ? [`- and ${faults.length - MAX_FAULTS} more`] : []
  const schema = whole ? [`The arguments of ${tool} are: ${short(JSON.stringify(root), MAX_SCHEMA)}`] : []
  return [`the arguments do not fit ${tool}, so it was not called:`, ...lines, ...more, ...schema].join('\n')
}

export const notJson = (why: string): string => `the arguments are not valid JSON, so the tool was not called: ${why}.`
export const notAnObject = (value: unknown): string =>
  `the arguments are ${json(value)}, so the tool was not called; they must be a JSON object, such as {}.`

/** One fault: where it is, what stands there, and what would fit. `root` has the definitions. */
export function faultText({ path, keyword, params, message, value, schema }: SchemaFault, root: Schema): string {
  const own = isObject(schema) ? schema : {}
  switch (keyword) {
    case 'required': {
      const name = String(params['missingProperty'])
      const part = propertyOf(own, name)
      const sample = isObject(part) && 'enum' in part ? undefined : sampleOf(part, root)
      return `${path}/${name} is missing; it is ${what(part, root)}${such(sample)}${about(part)}`
    }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const known = Object.keys(isObject(own['properties']) ? own['properties'] : {})
      return `${path}/${short(name)} is not known; ${known.length === 0 ? 'leave it out.' : nearOrAll(name, known)}`
    }
    default:
      return `${path === '' ? 'the whole' : path} is ${json(value)}; ${mustBe(keyword, own, value, message, root)}${about(own)}`
  }
}

function mustBe(keyword: string, schema: Schema, value: unknown, message: string, root: Schema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, pattern, minItems, maxItems, format } =
    schema
  const sample = such(sampleOf(schema, root))
  const size = typeof value === 'string' || Array.isArray(value) ? `, and has ${value.length}` : ''
  switch (keyword) {
    case 'enum':
      return `it must be one of ${list(Array.isArray(schema['enum']) ? schema['enum'] : [])}.`
    case 'const':
      return `it must be ${json(schema['const'])}.`
    case 'type':
      return `it must be ${what(schema, root)}${sample}`
    case 'format':
      return `it must be ${article(String(format))}${such(formatSample(format))}`
    case 'pattern':
      return `it must match the pattern ${short(String(pattern))}${sample}`
    case 'minimum':
      return `it must be at least ${json(minimum)}.`
    case 'maximum':
      return `it must be at most ${json(maximum)}.`
    case 'exclusiveMinimum':
      return `it must be more than ${json(exclusiveMinimum)}${sample}`
    case 'exclusiveMaximum':
      return `it must be less than ${json(exclusiveMaximum)}${sample}`
    case 'multipleOf':
      return `it must be a multiple of ${json(multipleOf)}${sample}`
    case 'minLength':
      return `it must have at least ${json(minLength)} characters${size}${sample}`
    case 'maxLength':
      return `it must have at most ${json(maxLength)} characters${size}${sample}`
    case 'minItems':
      return `it must have at least ${json(minItems)} items${size}${sample}`
    case 'maxItems':
      return `it must have at most ${json(maxItems)} items${size}${sample}`
    case 'anyOf':
    case 'oneOf':
      return `it must be ${short(shapeOf(schema, root), MAX_UNKNOWN_TOOL)}${sample}`
    default:
      return `it ${message}.`
  }
}

/** What a schema wants, in words. */
function what(schema: unknown, root: Schema): string {
  if (!isObject(schema)) return 'any value'
  const { format, enum: values } = schema
  if (Array.isArray(values)) return `one of ${list(values)}`
  if (typeof format === 'string' && formatSample(format) !== undefined) return article(format)
  const types = typesOf(schema)
  if (types.length === 0 || types.includes('object') || types.includes('array')) return short(shapeOf(schema, root), MAX_UNKNOWN_TOOL)
  return types.map(article).join(' or ')
}

const article = (noun: string) =>
  noun === 'null' ? noun : `${/^[aeiou]/.test(noun) && noun !== 'uri' && noun !== 'uuid' ? 'an' : 'a'} ${noun}`
const such = (sample: unknown) => (sample === undefined ? '.' : `, such as ${json(sample)}.`)
const about = (schema: unknown) =>
  isObject(schema) && typeof schema['description'] === 'string' ? ` (${short(schema['description'], 200)})` : ''

const propertyOf = ({ properties }: Schema, name: string): unknown =>
  isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined

function nearOrAll(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near !== undefined
    ? `did you mean ${short(near)}?`
    : `the known ones are ${known
        .slice(0, MAX_NAMED)
        .map((one) => short(one))
        .join(', ')}${known.length > MAX_NAMED ? ', …' : ''}.`
}

/** The model called a tool that it was not given. Names what it may have meant, or else as many of the tools as fit. */
export function unknownTool(called: string, known: readonly { name: string; tool: string }[]): string {
  const there = `there is no tool ${short(called)}`
  const near = nearTools(called, known).slice(0, 3)
  if (near.length > 0) return `${there}; did you mean ${near.join(' or ')}?`
  const names = known.map(({ name }) => name)
  for (let shown = names.length; shown > 0; shown--) {
    const more = shown < names.length ? ` and ${names.length - shown} more` : ''
    const text = `${there}. The tools are: ${names.slice(0, shown).join(', ')}${more}.`
    if (Buffer.byteLength(text) <= MAX_UNKNOWN_TOOL || shown === 1) return text
  }
  return `${there}. There are no tools.`
}

/** What was called, without the server's part of a tool's name where it begins with that. */
const withoutServer = (called: string, name: string, tool: string) => {
  const server = name.slice(0, -tool.length)
  return called.startsWith(server) ? called.slice(server.length) : called
}

/** Letters and digits alone: `Labor.query`, `labor-query` and `labor__query` are one name to a model. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/** The tools that a name may stand for: the tool's own name without its server, the same letters, or else a slip of the pen. */
function nearTools(called: string, known: readonly { name: string; tool: string }[]): string[] {
  const wanted = plain(called)
  const same = known.filter(
    ({ name, tool }) => wanted !== '' && (plain(tool) === wanted || plain(name) === wanted || wanted.endsWith(plain(name))),
  )
  if (same.length > 0) return same.map(({ name }) => name)
  return known
    .map(({ name, tool }) => ({ name, tool, bare: withoutServer(called, name, tool) }))
    .filter(({ tool, bare }) => isNear(bare, tool))
    .toSorted((a, b) => distance(a.bare, a.tool) - distance(b.bare, b.tool))
    .map(({ name }) => name)
}
