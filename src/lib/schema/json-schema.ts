import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { compileLinear } from './linear.ts'
import { faultsOf, type SchemaFault } from './faults/choices.ts'
import { addUniqueItems } from './faults/unique.ts'
import { cutBytes } from '../text.ts'

export type { SchemaFault }

export interface Validate {
  /** Says what is wrong with a value, in a line, or undefined when it fits. */
  (value: unknown): string | undefined
  /** Everything that is wrong with it. Of a choice that nothing fits, the one alternative that was clearly meant, or else the choice as a whole. */
  faults(value: unknown): SchemaFault[]
  /** A copy of a value with what it leaves out and the schema has a `default` for, in fields and entries; not within `anyOf`, `oneOf`, `not` and `if`. */
  filled(value: unknown): unknown
}

const linear = Object.assign(compileLinear, { code: 'linear' })
const options = {
  strict: false,
  allErrors: true,
  verbose: true,
  validateFormats: true,
  logger: false,
  code: { regExp: linear, optimize: false },
} as const
const addFormats = addFormatsModule.default

type Draft = 'draft-07' | '2020-12'

const openAjv = (draft: Draft, own: { useDefaults?: true } = {}): Ajv =>
  addFormats(addUniqueItems(draft === 'draft-07' ? new Ajv({ ...options, ...own }) : new Ajv2020({ ...options, ...own }))).addFormat(
    'url',
    {
      type: 'string',
      validate: isUrl,
    },
  )

/** In place of the library's own, the only one of its formats that takes more than linear time. */
const isUrl = (text: string) => /^(?:https?|ftp):\/\/[^\s/]/i.test(text) && !/\s/.test(text) && URL.canParse(text)

const instances = new Map<Draft, Ajv>()

/** The instance for schemas without an $id: one with an $id would be known to all others. */
function sharedAjv(draft: Draft): Ajv {
  let ajv = instances.get(draft)
  if (!ajv) instances.set(draft, (ajv = openAjv(draft)))
  return ajv
}

const draftOf = ({ $schema }: Record<string, unknown>): Draft =>
  typeof $schema === 'string' && /draft-0[4-7]/.test($schema) ? 'draft-07' : '2020-12'

const MAX_CACHED = 1000
const MAX_ERRORS = 5
/** Of the place of a fault, and of the name of a property: both may be from outside, and as long as a body. */
const MAX_PLACE_BYTES = 300
const shortened = (place: string): string => {
  const { text, truncated } = cutBytes(place, MAX_PLACE_BYTES)
  return truncated ? `${text}…` : text
}
const cache = new Map<string, Validate>()

/**
 * Compiles a JSON Schema: draft 7 or earlier when `$schema` says so, else 2020-12. Compiled schemas are kept by their text, since the same
 * tools are listed run after run. Its patterns are matched by RE2 in linear time. Throws an `Error` that says why when the schema is not one.
 */
export function compileSchema(schema: Record<string, unknown>): Validate {
  const key = JSON.stringify(schema)
  const known = cache.get(key)
  if (known) return known
  const draft = draftOf(schema)
  // With $async, each check is a promise, never a fault.
  const { $schema: _, $id: __, $async: ___, ...body } = schema
  const ajv = JSON.stringify(body).includes('"$id"') ? openAjv(draft) : sharedAjv(draft)
  const check = ajv.compile(body)
  ajv.removeSchema(body)
  const describe = (value: unknown) => {
    if (check(value) || !check.errors) return undefined
    const errors = check.errors
    const lines = errors.slice(0, MAX_ERRORS).map((error) => {
      const extra = error.keyword === 'additionalProperties' ? ` (${shortened(String(error.params['additionalProperty']))})` : ''
      return `${shortened(error.instancePath || '/')} ${String(error.message)}${extra}`
    })
    return `${lines.join('; ')}${errors.length > MAX_ERRORS ? `; and ${errors.length - MAX_ERRORS} more` : ''}`
  }
  let fill: ((value: unknown) => unknown) | undefined
  const validate: Validate = Object.assign(describe, {
    faults: (value: unknown) => (check(value) ? [] : faultsOf(check.errors ?? [])),
    filled(value: unknown): unknown {
      if (!key.includes('"default"')) return value
      // It writes into what it is given.
      const copy: unknown = structuredClone(value)
      fill ??= openAjv(draft, { useDefaults: true }).compile(body)
      fill(copy)
      return copy
    },
  })
  for (const oldest of cache.keys()) {
    if (cache.size < MAX_CACHED) break
    cache.delete(oldest)
  }
  cache.set(key, validate)
  return validate
}

/** The formats that are checked; any other is passed over. */
export const knownFormats = (): string[] => Object.keys(sharedAjv('2020-12').formats)

/** What is wrong with a schema as a schema: the first fault of each place, as a JSON pointer and a message. */
export function invalidParts(schema: Record<string, unknown>): { path: string; message: string }[] {
  const ajv = sharedAjv(draftOf(schema))
  const { $schema: _, ...body } = schema
  if (ajv.validateSchema(body) === true) return []
  const firsts = new Map<string, string>()
  for (const error of ajv.errors ?? []) if (!firsts.has(error.instancePath)) firsts.set(error.instancePath, partFault(error))
  return [...firsts].map(([path, message]) => ({ path, message }))
}

/** Types of keywords in the words of whoever writes YAML. */
const TYPE_WORDS: Record<string, string> = {
  array: 'a list, such as [a, b]',
  object: 'a mapping',
  string: 'a text; put it in quotes',
  integer: 'a whole number, without quotes',
  number: 'a number, without quotes',
  boolean: 'true or false',
  'object,boolean': 'a schema, such as { type: string }',
}

function partFault({ keyword, params, message = 'is not valid' }: ErrorObject): string {
  const wanted = keyword === 'type' ? TYPE_WORDS[String(params['type'])] : undefined
  return wanted === undefined ? message : `must be ${wanted}`
}
