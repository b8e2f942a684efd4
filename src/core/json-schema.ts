import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { RE2JS } from 're2js'

/** Says what is wrong with a value, in a line, or undefined when it fits. */
export type Validate = (value: unknown) => string | undefined

/** Patterns come from outside, and so do the texts: each is matched in linear time. One that looks around or back is an error. */
const regExp = Object.assign((pattern: string) => RE2JS.compile(RE2JS.translateRegExp(pattern)), { code: 'regExp' })
const options = { strict: false, allErrors: true, validateFormats: true, logger: false, code: { regExp } } as const
const addFormats = addFormatsModule.default
const open2020 = () => addFormats(new Ajv2020(options))
const open7 = () => addFormats(new Ajv(options))
const ajv2020 = open2020()
const ajv7 = open7()

const MAX_CACHED = 1000
const MAX_ERRORS = 5
const cache = new Map<string, Validate>()

/**
 * Compiles a JSON Schema: draft 7 or earlier when `$schema` says so, else 2020-12. Compiled schemas are kept by their text, since the same
 * tools are listed run after run. Throws an `Error` that says why when the schema is not one.
 */
export function compileSchema(schema: Record<string, unknown>): Validate {
  const key = JSON.stringify(schema)
  const known = cache.get(key)
  if (known) return known
  const old = typeof schema['$schema'] === 'string' && /draft-0[4-7]/.test(schema['$schema'])
  // With $async, each check is a promise, never a fault.
  const { $schema: _, $id: __, $async: ___, ...body } = schema
  // An $id is known to all schemas of an instance: two tools with the same one would clash.
  const ajv = JSON.stringify(body).includes('"$id"') ? (old ? open7() : open2020()) : old ? ajv7 : ajv2020
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
