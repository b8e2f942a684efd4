import { expect, test } from 'vitest'
import { fitsStrictMode } from '../../../src/lib/schema/strict.ts'
import type { Schema } from '../../../src/lib/schema/shape.ts'

const object = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})
const nested = (depth: number): Schema => (depth === 0 ? { type: 'string' } : object({ a: nested(depth - 1) }))

test.each<[string, Schema]>([
  ['with every key needed', object({ a: { type: 'string', description: 'A.' }, b: { type: ['number', 'null'], minimum: 0 } })],
  [
    'with lists, objects in them and their sizes',
    object({ rows: { type: 'array', minItems: 1, items: object({ id: { type: 'integer' } }) } }),
  ],
  ['with a choice and fixed values', object({ a: { anyOf: [{ enum: ['x', null] }, { const: 1 }] } })],
  [
    'with definitions',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: object({ next: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] } }) } }),
  ],
  ['with a dialect and a title', object({}, { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Report' })],
  ['with formats and patterns', object({ day: { type: 'string', format: 'date' }, id: { type: 'string', pattern: '^[A-Z]{2}\\d+$' } })],
  ['as deep as it may be', nested(10)],
])('a schema %s is taken', (_, schema) => {
  expect(fitsStrictMode(schema)).toBe(true)
})

test.each<[string, Schema]>([
  ['without a type', {}],
  ['of a list', { type: 'array', items: { type: 'string' } }],
  ['with a choice at the root', { anyOf: [object({})] }],
  ['with a key that may be left out', object({ a: { type: 'string' } }, { required: [] })],
  ['that says nothing of other keys', { type: 'object', properties: {}, required: [] }],
  ['with an open object inside', object({ a: { type: 'object', properties: {} } })],
  ['with an open object in a list', object({ a: { type: 'array', items: { type: 'object' } } })],
  ['with a list of anything', object({ a: { type: 'array' } })],
  ['with a key that may be anything', object({ a: {} })],
  ['with a key that is a boolean schema', object({ a: true })],
  ['with words beside a reference', object({ a: { $ref: '#/$defs/a', description: 'A.' } }, { $defs: { a: { type: 'string' } } })],
  ['with a reference elsewhere', object({ a: { $ref: 'https://example.com/a' } })],
  ['with an open definition', object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { type: 'object' } } })],
  ['with a format that is not known there', object({ a: { type: 'string', format: 'uri' } })],
  ['with a pattern that looks ahead', object({ a: { type: 'string', pattern: '^(?!x)' } })],
  ['with values that are objects', object({ a: { enum: [{ b: 1 }] } })],
  ['too deep', nested(11)],
  ['with too many values', object({ a: { enum: Array.from({ length: 1001 }, (_, i) => i) } })],
  [
    'with an enum that is long in values and in letters',
    object({ a: { enum: Array.from({ length: 251 }, (_, i) => `${i}`.padEnd(60, 'x')) } }),
  ],
  ['with too many letters', object({ a: { enum: ['x'.repeat(120_001)] } })],
  ...['minLength', 'maxLength', 'uniqueItems', 'default', 'oneOf', 'allOf', 'not', 'if', 'patternProperties', 'propertyNames', 'x-own'].map(
    (keyword): [string, Schema] => [`with ${keyword}`, object({ a: { type: 'string', [keyword]: [] } })],
  ),
])('a schema %s is not', (_, schema) => {
  expect(fitsStrictMode(schema)).toBe(false)
})
