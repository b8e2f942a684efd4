import { isObject } from '../json/object.ts'
import { definitionOf, typesOf, type Schema } from './shape.ts'

const MAX_DEPTH = 4
const MAX_ITEMS = 5

/** A value of each format that a schema may name. */
const FORMATS: Record<string, string> = {
  date: '2026-11-24',
  'date-time': '2026-11-24T07:00:00Z',
  time: '07:00:00Z',
  duration: 'P1D',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/path',
  uuid: '0199a3c4-0000-7000-8000-000000000001',
}

export const formatSample = (format: unknown): string | undefined => (typeof format === 'string' ? FORMATS[format] : undefined)

/** A value that fits a JSON Schema: the author's own example where there is one. Undefined where none can be made up, as for a pattern. */
export function sampleOf(schema: unknown, root: Schema, depth = 0): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return undefined
  const { $ref, examples, enum: values, anyOf, oneOf } = schema
  for (const own of [schema['const'], Array.isArray(examples) ? examples[0] : undefined, schema['default']])
    if (own !== undefined) return own
  if (Array.isArray(values)) return values[0]
  if (typeof $ref === 'string') return sampleOf(definitionOf($ref, root), root, depth + 1)
  const choice = anyOf ?? oneOf
  if (Array.isArray(choice)) return sampleOf(choice[0], root, depth + 1)
  switch (typesOf(schema)[0]) {
    case 'string':
      return sampleText(schema)
    case 'integer':
    case 'number':
      return sampleNumber(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return sampleList(schema, root, depth)
    case 'object':
      return sampleObject(schema, root, depth)
    default:
      return undefined
  }
}

const numberAt = (schema: Schema, key: string) => (typeof schema[key] === 'number' ? schema[key] : undefined)

function sampleText(schema: Schema): string | undefined {
  if ('format' in schema) return formatSample(schema['format'])
  if ('pattern' in schema) return undefined
  const text = 'text'.padEnd(Math.min(numberAt(schema, 'minLength') ?? 0, 80), '.')
  return text.slice(0, numberAt(schema, 'maxLength') ?? text.length)
}

function sampleNumber(schema: Schema): number {
  const step = numberAt(schema, 'multipleOf') ?? 1
  const above = numberAt(schema, 'exclusiveMinimum')
  const below = numberAt(schema, 'exclusiveMaximum')
  const least = numberAt(schema, 'minimum') ?? (above === undefined ? undefined : above + step)
  const most = numberAt(schema, 'maximum') ?? (below === undefined ? undefined : below - step)
  return Math.ceil((least ?? Math.min(step, most ?? step)) / step) * step
}

function sampleList(schema: Schema, root: Schema, depth: number): unknown {
  const item = sampleOf(schema['items'], root, depth + 1)
  return item === undefined ? undefined : Array.from({ length: Math.min(numberAt(schema, 'minItems') ?? 1, MAX_ITEMS) }, () => item)
}

function sampleObject(schema: Schema, root: Schema, depth: number): unknown {
  const { properties, required } = schema
  const sample: Schema = {}
  for (const name of Array.isArray(required) ? required : []) {
    const value = sampleOf(
      isObject(properties) && Object.hasOwn(properties, String(name)) ? properties[String(name)] : undefined,
      root,
      depth + 1,
    )
    if (value === undefined) return undefined
    sample[String(name)] = value
  }
  return sample
}
