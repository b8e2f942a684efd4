import { expect, test } from 'vitest'
import { knownFormats } from '../../../src/lib/schema/json-schema.ts'
import { keywordFaults } from '../../../src/lib/schema/keywords.ts'
import type { Schema } from '../../../src/lib/schema/shape.ts'

const faults = (schema: Schema) => keywordFaults(schema, knownFormats()).map(({ path, message }) => `${path.join('.')} ${message}`)

test.each<[Schema, string]>([
  [{ requird: ['a'] }, 'requird is no keyword of JSON Schema; did you mean required?'],
  [{ properties: { a: { minLenght: 1 } } }, 'properties.a.minLenght is no keyword of JSON Schema; did you mean minLength?'],
  [{ items: { anyof: [] } }, 'items.anyof is no keyword of JSON Schema; did you mean anyOf?'],
  [{ anyOf: [{}, { regex: 'x' }] }, 'anyOf.1.regex is no keyword of JSON Schema; did you mean pattern?'],
  [{ $defs: { a: { nul: 1 } } }, '$defs.a.nul is no keyword of JSON Schema; correct it, or take it out. A note of your own begins with x-'],
  [{ type: 'strng' }, 'type is strng, which is no type; did you mean string?'],
  [{ type: ['string', 'nul'] }, 'type is nul, which is no type; did you mean null?'],
  [{ type: 'text' }, 'type is text, which is no type; did you mean string?'],
  [{ type: 'thing' }, 'type is thing, which is no type; known are string, number, integer, boolean, object, array, null'],
  [{ properties: { total: {} }, required: ['totl'] }, 'required names totl, which is not under properties; did you mean total?'],
  [
    { pattern: '^(?!x)' },
    'pattern cannot be used: it looks around or back ((?=, (?!, (?<=, (?<!, \\1), which takes time without a bound; write it without',
  ],
  [{ pattern: '(a{500}){500}' }, 'pattern cannot be used: its counts ({…}) repeat too much; use smaller ones'],
  [
    { patternProperties: { '(a)\\1': {} } },
    'patternProperties has (a)\\1, which cannot be used: it looks around or back ((?=, (?!, (?<=, (?<!, \\1), which takes time without a bound; write it without',
  ],
  [{ $defs: { row: {} }, items: { $ref: '#/$defs/rwo' } }, 'items.$ref is #/$defs/rwo, and nothing is there; did you mean #/$defs/row?'],
  [{ not: { format: 'datetime' } }, 'not.format is datetime, which is no format; did you mean date-time?'],
  [
    { properties: { total: {} }, required: ['totl'], additionalProperties: false },
    'required names totl, which is not under properties; did you mean total?',
  ],
  [
    { properties: { a: { required: true } } },
    'properties.a.required is true; take it out, and name the field beside properties: as in required: [a]',
  ],
  [
    { items: { required: ['a'], properties: { a: { required: true } } } },
    'items.properties.a.required is true; take it out: required: beside properties: names a already',
  ],
  [
    { properties: { a: { required: false } } },
    'properties.a.required is false; take it out: a field may be left out unless required: beside properties: names it',
  ],
  [{ required: ['a'], additionalProperties: false }, 'required names a, which is not under properties; there is none'],
])('in %j it is found: %s', (schema, fault) => {
  expect(faults(schema)).toEqual([fault])
})

test.each<[string, Schema]>([
  [
    'keywords of both drafts',
    { $schema: 'http://json-schema.org/draft-07/schema#', definitions: {}, additionalItems: false, dependencies: {}, prefixItems: [{}] },
  ],
  ['names that are no keywords', { properties: { requird: { const: { anything: 1 } } }, default: { x: { y: 1 } }, examples: [{ z: 1 }] }],
  ['notes of one’s own', { 'x-owner': 'finance', $comment: 'x' }],
  ['names that another part may allow', { required: ['a'], properties: {} }],
  ['names that a pattern allows', { required: ['x1'], patternProperties: { '^x': {} }, additionalProperties: false }],
  ['formats that are checked', { type: 'string', format: 'date-time' }],
  ['a required name that stands beside a property like it', { required: ['rate', 'rates'], properties: { rate: {} } }],
  ['references to what is there', { $defs: { 'a/b': {} }, properties: { x: { $ref: '#/$defs/a~1b' }, y: { $ref: '#' } } }],
  ['patterns of linear time', { pattern: '^(a|b)+[0-9]{1,4}$', patternProperties: { '^x-': {} } }],
  ['boolean schemas', { properties: { a: true }, additionalProperties: false, items: true }],
])('nothing is found in %s', (_, schema) => {
  expect(faults(schema)).toEqual([])
})
