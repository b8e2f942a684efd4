import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { z } from 'zod'
import type { ValidateWire } from '../../../src/demo/model/model.ts'

const ID = 'openai'
const file = join(import.meta.dirname, '../../fixtures/openai-responses-subset.json')

const ajv = addFormatsModule.default(new Ajv2020({ strict: false, logger: false }))
ajv.addFormat('unixtime', { type: 'number', validate: Number.isInteger })
ajv.addSchema(z.looseObject({ $id: z.literal(ID) }).parse(JSON.parse(readFileSync(file, 'utf8'))))

/** The schema wants an id of each item of reasoning; the server takes one without where nothing is kept, since there it would know none. */
const named = (_: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'encrypted_content' in value && !('id' in value) ? { ...value, id: 'rs_none' } : value

/** Checks a value against the provider's published schema; throws what does not fit. */
export const validateWire: ValidateWire = (schema, value) => {
  // What goes over the wire is JSON: a key without a value is not there.
  const sent: unknown = JSON.parse(JSON.stringify(value), named)
  const check = ajv.getSchema(`${ID}#/components/schemas/${schema}`)
  if (!check) throw new Error(`The published schema has no ${schema}.`)
  if (check(sent) === true) return
  const lines = (check.errors ?? []).slice(0, 10).map(({ instancePath, message }) => `${instancePath || '/'} ${message ?? ''}`)
  throw new Error(`This is no ${schema}: ${lines.join('; ')}`)
}
