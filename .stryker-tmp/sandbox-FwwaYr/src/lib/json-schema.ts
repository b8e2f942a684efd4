// @ts-nocheck
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { RE2JS } from 're2js'

/** Says what is wrong with a value, in a line, or undefined when it fits. */
export type Validate = (value: unknown) => string | undefined

/** Matches in linear time, whatever the pattern and the text. A pattern that looks around or back is an error. */
const linear = Object.assign((pattern: string) => RE2JS.compile(RE2JS.translateRegExp(pattern)), { code: 'linear' })
const options = { strict: false, allErrors: true, validateFormats: true, logger: false } as const
const addFormats = addFormatsModule.default

function openAjv(draft: 'draft-07' | '2020-12', foreign: boolean): Ajv {
  const all = foreign ? { ...options, code: { regExp: linear } } : options
  return addFormats(draft === 'draft-07' ? new Ajv(all) : new Ajv2020(all))
}

const instances = new Map<string, Ajv>()

/** The instance for schemas without an $id: one with an $id would be known to all others. */
function sharedAjv(draft: 'draft-07' | '2020-12', foreign: boolean): Ajv {
  const key = `${draft} ${foreign}`
  let ajv = instances.get(key)
  if (!ajv) instances.set(key, (ajv = openAjv(draft, foreign)))
  return ajv
}

const MAX_CACHED = 1000
const MAX_ERRORS = 5
const cache = new Map<string, Validate>()

/**
 * Compiles a JSON Schema: draft 7 or earlier when `$schema` says so, else 2020-12. Compiled schemas are kept by their text, since the same
 * tools are listed run after run. The patterns of a foreign one, which a server sent, can't keep the process busy. Throws an `Error` that says why
 * when the schema is not one.
 */
export function compileSchema(schema: Record<string, unknown>, { foreign = false } = {}): Validate {
  const key = `${foreign} ${JSON.stringify(schema)}`
  const known = cache.get(key)
  if (known) return known
  const draft = typeof schema['$schema'] === 'string' && /draft-0[4-7]/.test(schema['$schema']) ? 'draft-07' : '2020-12'
  // With $async, each check is a promise, never a fault.
  const { $schema: _, $id: __, $async: ___, ...body } = schema
  const ajv = JSON.stringify(body).includes('"$id"') ? openAjv(draft, foreign) : sharedAjv(draft, foreign)
  const check = ajv.compile(body)
  ajv.removeSchema(body)
  const validate: Validate = (value) => {
    if (check(value) || !check.errors) return undefined
    const errors = check.errors
    const lines = errors.slice(0, MAX_ERRORS).map((error) => {
      const extra = error.keyword === 'additionalProperties' ? ` (${String(error.params['additionalProperty'])})` : ''
      return `${error.instancePath || '/'} ${String(error.message)}${extra}`
    })
    return `${lines.join('; ')}${errors.length > MAX_ERRORS ? `; and ${errors.length - MAX_ERRORS} more` : ''}`
  }
  for (const oldest of cache.keys()) {
    if (cache.size < MAX_CACHED) break
    cache.delete(oldest)
  }
  cache.set(key, validate)
  return validate
}
