import { fullFormats } from 'ajv-formats/dist/formats.js'
import { expect, test } from 'vitest'
import { whySlow } from '../../../scripts/lint/patterns.js'
import { compileSchema, knownFormats } from '../../../src/lib/schema/json-schema.ts'

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#'

test('a value that fits has no fault', () => {
  expect(compileSchema({ type: 'object', required: ['a'], properties: { a: { type: 'integer' } } })({ a: 1 })).toBeUndefined()
})

test('a fault names the place and what is wrong there', () => {
  const validate = compileSchema({
    type: 'object',
    required: ['a', 'b'],
    additionalProperties: false,
    properties: { a: { type: 'array', items: { type: 'string', format: 'date' } } },
  })
  expect(validate({ a: ['2026-01-01', 'soon', 3], c: 1 })).toMatchInlineSnapshot(
    `"/ must have required property 'b'; / must NOT have additional properties (c); /a/1 must match format "date"; /a/2 must be string"`,
  )
  expect(validate(7)).toMatchInlineSnapshot(`"/ must be object"`)
})

test('a fault is no longer than the place needs, whatever names came from outside', () => {
  const name = 'ü'.repeat(100_000)
  const told = [
    compileSchema({ additionalProperties: false })({ [name]: 1 }),
    compileSchema({ additionalProperties: { type: 'string' } })({ [name]: 1 }),
    compileSchema({ additionalProperties: { additionalProperties: false } })({ [name]: { [name]: 1 } }),
  ]
  for (const one of told) expect(one).toMatch(/^\/.*ü…/)
  for (const one of told) expect(one?.length).toBeLessThan(700)
})

test('of many faults five are told, and how many more there are', () => {
  const validate = compileSchema({ type: 'array', items: { type: 'integer', minimum: 0 } })
  expect(validate(Array(8).fill('x'))).toMatchInlineSnapshot(
    `"/0 must be integer; /1 must be integer; /2 must be integer; /3 must be integer; /4 must be integer; and 3 more"`,
  )
})

test.each([
  ['2020-12 when nothing is said', {}, ['a', 1, 'rest'], '/ must NOT have more than 2 items'],
  [
    '2020-12 when it is named',
    { $schema: 'https://json-schema.org/draft/2020-12/schema' },
    ['a', 1, 'rest'],
    '/ must NOT have more than 2 items',
  ],
  ['2020-12 when $schema is not even a text', { $schema: 7 }, ['a', 1, 'rest'], '/ must NOT have more than 2 items'],
  ['draft 7, which does not know prefixItems, when it is named', { $schema: DRAFT_7 }, ['a', 1, 'rest'], '/0 boolean schema is false'],
])('a schema is read as %s', (_, head, value, fault) => {
  const validate = compileSchema({ ...head, type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false })
  expect(validate(value)?.split(';')[0]).toBe(fault)
})

test.each([
  ['draft 7', DRAFT_7],
  ['draft 4', 'http://json-schema.org/draft-04/schema'],
])('%s has lists of item schemas', (_, $schema) => {
  const validate = compileSchema({ $schema, items: [{ type: 'string' }], additionalItems: false })
  expect(validate(['a'])).toBeUndefined()
  expect(validate(['a', 'b'])).toBe('/ must NOT have more than 1 items')
})

test('two schemas with the same $id do not clash, and neither is taken for the other', () => {
  const $id = 'https://example.com/tool'
  const text = compileSchema({ $id, type: 'string' })
  const number = compileSchema({ $id, type: 'number' })
  expect([text('a'), text(1), number('a'), number(1)]).toEqual([undefined, '/ must be string', '/ must be number', undefined])
})

test('neither do two with the same $id in a part', () => {
  const id = 'https://example.com/part.json'
  const schema = (type: string) => ({ type: 'object', properties: { a: { $ref: id } }, $defs: { part: { $id: id, type } } })
  const [text, number] = [compileSchema(schema('string')), compileSchema(schema('number'))]
  expect([text({ a: 'x' }), text({ a: 1 }), number({ a: 'x' }), number({ a: 1 })]).toEqual([
    undefined,
    '/a must be string',
    '/a must be number',
    undefined,
  ])
})

test('a pattern that would take for ever elsewhere is matched in linear time', () => {
  const check = compileSchema({ type: 'string', pattern: '^(a+)+$', minLength: 1 })
  expect(check('aaaa')).toBeUndefined()
  expect(check(`${'a'.repeat(50_000)}!`)).toBe('/ must match pattern "^(a+)+$"')
})

test.each(['^(?!x)', '(?<=x)a', '(a)\\1', '(?<n>a)\\k<n>'])(
  'a pattern that looks around or back is refused, and it is said why: %s',
  (pattern) => {
    expect(() => compileSchema({ pattern })).toThrow(`the pattern ${pattern} cannot be used: it looks around or back`)
  },
)

test('a schema that asks for asynchronous checks is checked all the same', () => {
  expect(compileSchema({ $async: true, type: 'string' })(1)).toBe('/ must be string')
})

test.each([
  ['an unknown type', { type: 'strng' }],
  ['a reference to nowhere', { $ref: '#/$defs/none' }],
  ['a reference to another place on the net', { $ref: 'https://example.com/other.json' }],
  ['a broken pattern', { pattern: '(' }],
  ['a part that asks for asynchronous checks', { items: { $async: true, type: 'string' } }],
  ['the same for a part that is referred to', { items: { $ref: '#/$defs/a' }, $defs: { a: { $async: true, type: 'string' } } }],
  ['properties that are no mapping', { properties: 4 }],
])('%s is not a schema', (_, schema) => {
  expect(() => compileSchema(schema)).toThrow(Error)
  // A schema that failed is not kept: it fails again.
  expect(() => compileSchema(schema)).toThrow(Error)
})

test('a compiled schema is kept by its text, until a thousand others came', () => {
  const first = compileSchema({ title: 'first', type: 'string' })
  expect(compileSchema({ title: 'first', type: 'string' })).toBe(first)
  for (let at = 0; at < 1000; at++) compileSchema({ title: `other ${at}` })
  const again = compileSchema({ title: 'first', type: 'string' })
  expect(again).not.toBe(first)
  expect(again(1)).toBe('/ must be string')
})

test('of the formats of the library one takes more than linear time, and is not used', () => {
  const patterns = Object.entries(fullFormats).flatMap(([name, format]) => {
    const pattern = typeof format === 'object' && 'validate' in format ? format.validate : format
    return pattern instanceof RegExp ? [{ name, pattern }] : []
  })
  expect(patterns.length).toBeGreaterThan(8)
  expect(patterns.filter(({ pattern }) => whySlow(pattern.source, pattern.flags) !== undefined).map(({ name }) => name)).toEqual(['url'])
})

test.each(['http://', 'http://[', 'ftp://a@', ''])(
  'each format looks through 200 KB after %j in linear time',
  { timeout: 20_000 },
  (before) => {
    const formats = knownFormats().filter((format) => format !== 'regex')
    for (const format of formats) {
      const validate = compileSchema({ type: 'string', format })
      for (const part of [':', 'a', '1:', 'a.', '-', '/', '%41', '@', 'a@', '::1'])
        expect(() => validate(before + part.repeat(200_000 / part.length))).not.toThrow()
    }
  },
)

test.each([
  ['https://example.com/a?b=c#d', true],
  ['ftp://user@host/x', true],
  ['http://localhost:8080', true],
  ['HTTP://example.com', true],
  ['https:example.com', false],
  ['https:///x', false],
  ['https://exa mple.com', false],
  ['https://example.com\n', false],
  ['mailto:a@example.com', false],
  ['http://:80', false],
  ['example.com', false],
])('%j as a url: %s', (text, fits) => {
  expect(compileSchema({ type: 'string', format: 'url' })(text) === undefined).toBe(fits)
})
