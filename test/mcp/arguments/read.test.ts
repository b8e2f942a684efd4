import { describe, expect, test } from 'vitest'
import { readArguments } from '../../../src/mcp/arguments/read.ts'
import { offerInput } from '../../../src/mcp/tools/input-schema.ts'

const inputSchema = {
  type: 'object',
  properties: {
    limit: { type: 'integer' },
    share: { type: ['number', 'null'] },
    deep: { type: 'boolean' },
    id: { type: 'string' },
    status: { enum: ['open', 'Paid'] },
    tags: { type: 'array', items: { type: 'string' } },
    filter: { type: 'object', properties: { n: { type: 'integer' } } },
    either: { type: ['integer', 'string'] },
    choice: { anyOf: [{ type: 'integer' }, { type: 'boolean' }] },
    must: { type: 'integer' },
  },
}

/** What is sent for what was written, or undefined when it is not. */
function sent(written: string, schema: Record<string, unknown> = inputSchema): string | undefined {
  const input = offerInput(schema)
  if (!input) throw new Error('not offered')
  const read = readArguments({ name: 'act', input }, written, false)
  return read.ok ? read.arguments.json : undefined
}

describe('what leaves no choice is mended', () => {
  const mended: [string, string, string][] = [
    ['a number that was written as a text', '{"limit": "20"}', '{"limit": 20}'],
    ['digits that no double holds', '{"limit": "9007199254740993"}', '{"limit": 9007199254740993}'],
    ['a fraction where null would fit too', '{"share": "-1.5e3"}', '{"share": -1.5e3}'],
    ['a yes that was written as a text', '{"deep": "True"}', '{"deep": true}'],
    ['a number for a text, digit for digit', '{"id": 12345678901234567890}', '{"id": "12345678901234567890"}'],
    ['the case of an enum', '{"status": "PAID "}', '{"status": "Paid"}'],
    ['one value for a list', '{"tags": "a"}', '{"tags": ["a"]}'],
    ['a list that was written as a text', '{"tags": "[\\"a\\",\\"b\\"]"}', '{"tags": ["a","b"]}'],
    ['an object that was written as a text, with a slip in it', '{"filter": "{\\"n\\": \\"1\\"}"}', '{"filter": {"n": 1}}'],
    ['null for a key that may be left out', '{"limit": null, "id": "a"}', '{"id": "a"}'],
    ['arguments that were written as a text', '"{\\"limit\\": 1}"', '{"limit": 1}'],
    ['two slips, and the rest as it was written', '{ "limit":"2",  "id" : 7, "share": 1.0 }', '{ "limit":2,  "id" : "7", "share": 1.0 }'],
  ]
  test.each(mended)('%s', (_, written, json) => {
    expect(sent(written)).toBe(json)
  })
})

describe('what leaves a choice, or makes no sense, is not', () => {
  const left: [string, string][] = [
    ['a word for a number', '{"limit": "ten"}'],
    ['a fraction for an integer', '{"limit": "1.5"}'],
    ['a number with a sign that JSON has not', '{"limit": "+1"}'],
    ['hexadecimal digits', '{"limit": "0x10"}'],
    ['a text where a number or a yes would fit', '{"choice": "1"}'],
    ['a value that is none of an enum', '{"status": "overdue"}'],
    ['a list for one value', '{"id": ["a"]}'],
    ['an object as a text that is no JSON', '{"filter": "{n: 1}"}'],
  ]
  test.each(left)('%s', (_, written) => {
    expect(sent(written)).toBeUndefined()
  })

  test('null for a key that is needed', () => {
    expect(sent('{"must": null}', { ...inputSchema, required: ['must'] })).toBeUndefined()
  })

  test('one value for a list that wants another type', () => {
    expect(sent('{"tags": {"a": 1}}')).toBeUndefined()
  })
})

test.each([
  '{"limit":9007199254740993}',
  '{ "limit" : 12345678901234567890 , "share":1.0, "id":"\\u00fc" }',
  '{"limit":1,"limit":2}',
  '{"either":"7"}',
])('arguments that fit are sent as they were written: %s', (written) => {
  expect(sent(`\n${written} `)).toBe(written)
})

describe('arguments of a tool with a choice at its root', () => {
  const choice = {
    type: 'object',
    anyOf: [
      { properties: { a: { type: 'integer' } }, required: ['a'] },
      { properties: { b: { type: 'string' } }, required: ['b'] },
    ],
  }
  test.each([
    ['are taken out of input', '{"input": {"a": 9007199254740993}}', '{"a": 9007199254740993}'],
    ['are taken out of an input that was written as a text', '{"input": "{\\"b\\":\\"x\\"}"}', '{"b":"x"}'],
    ['may stand without it', '{"b": "x"}', '{"b": "x"}'],
  ])('%s', (_, written, json) => {
    expect(sent(written, choice)).toBe(json)
  })

  test('that do not fit are told where they stand', () => {
    const input = offerInput(choice)
    const read = input && readArguments({ name: 'act', input }, '{"input": {"b": []}}', false)
    expect(read).toMatchObject({
      ok: false,
      why: expect.stringContaining('- /input is {"b":[]}; it must be { a: integer } | { b: string }'),
    })
  })

  test('that the server’s own schema names input are sent as they are', () => {
    expect(sent('{"input": "text"}', { allOf: [{ type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }] })).toBe(
      '{"input": "text"}',
    )
  })
})

test('a schema that cannot be read is checked by the server alone', () => {
  expect(sent('{"n": "x"}', { type: 'object', properties: { n: { $ref: '#/nowhere' } } })).toBe('{"n": "x"}')
})
