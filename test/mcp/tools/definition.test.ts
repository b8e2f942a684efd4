import { describe, expect, test } from 'vitest'
import { parseTool, type ListedTool } from '../../../src/mcp/tools/definition.ts'
import { aTool } from '../../support/mcp/scripted-server.ts'

function read(listed: unknown): ListedTool {
  const parsed = parseTool(listed)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.tool
}

const digest = (listed: unknown) => read(listed).digest()

const full = {
  name: 'act',
  title: 'Act',
  description: 'does act',
  inputSchema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a'] },
  outputSchema: { type: 'object', properties: { c: { type: 'string' } } },
  annotations: { readOnlyHint: true, title: 'Act' },
}

test('a digest does not depend on the order of keys', () => {
  const turned = {
    annotations: { title: 'Act', readOnlyHint: true },
    outputSchema: { properties: { c: { type: 'string' } }, type: 'object' },
    inputSchema: { required: ['a'], properties: { b: { type: 'integer' }, a: { type: 'string' } }, type: 'object' },
    description: 'does act',
    title: 'Act',
    name: 'act',
  }
  expect(digest(turned)).toBe(digest(full))
})

test('a digest does not depend on what the model is not told', () => {
  expect(digest({ ...full, _meta: { version: 2 }, icons: [], execution: { taskSupport: 'optional' } })).toBe(digest(full))
})

const changes: [string, Record<string, unknown>][] = [
  ['the name', { name: 'act2' }],
  ['the title', { title: 'Do' }],
  ['the description', { description: 'does act.' }],
  ['no description', { description: undefined }],
  ['a property of the input', { inputSchema: { ...full.inputSchema, properties: { a: { type: 'string' } } } }],
  ['what is required', { inputSchema: { ...full.inputSchema, required: ['a', 'b'] } }],
  ['the dialect', { inputSchema: { ...full.inputSchema, $schema: 'http://json-schema.org/draft-07/schema#' } }],
  ['the output', { outputSchema: undefined }],
  ['an annotation', { annotations: { readOnlyHint: false, title: 'Act' } }],
]
test.each(changes)('a digest changes with %s', (_, change) => {
  expect(digest({ ...full, ...change })).not.toBe(digest(full))
})

test.each([{}, null, undefined, { type: ['object', 'null'] }, { type: 'object' }])(
  'an input schema that is %j is offered as that of an object without properties',
  (inputSchema) => {
    expect(read({ name: 'act', inputSchema }).input).toMatchObject({ parameters: { type: 'object', properties: {} }, wrapped: false })
  },
)

test('null is absent, wherever it stands', () => {
  const tool = {
    name: 'act',
    title: null,
    description: null,
    inputSchema: null,
    outputSchema: null,
    annotations: null,
    execution: null,
    _meta: null,
  }
  expect(read(tool)).toMatchObject({ name: 'act', description: '', hasOwnPage: false })
})

const described: [string, Record<string, unknown>, string][] = [
  ['its description', { description: 'Does act.' }, 'Does act.'],
  ['its title, where it has no description', { title: 'Act now' }, 'Act now'],
  ['both', { title: 'Act now', description: 'Does act.' }, 'Act now: Does act.'],
  ['its description, where that begins with its title', { title: 'Act', description: 'Act on a row.' }, 'Act on a row.'],
  [
    'what it returns, where that is short',
    {
      description: 'Lists invoices.',
      outputSchema: {
        type: 'object',
        properties: {
          rows: {
            type: 'array',
            items: { type: 'object', properties: { id: { type: 'integer' }, state: { enum: ['open', 'paid'] } }, required: ['id'] },
          },
          next: { type: ['string', 'null'] },
        },
        required: ['rows'],
      },
    },
    'Lists invoices.\nReturns { rows: { id: integer; state?: "open" | "paid" }[]; next?: string | null }',
  ],
  [
    'not what it returns, where that is long',
    {
      description: 'Lists all.',
      outputSchema: {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`property_${n}`, { type: 'string' }])),
      },
    },
    'Lists all.',
  ],
  [
    'not what it returns to a page of its own',
    {
      description: 'Shows a chart.',
      outputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
      _meta: { ui: { resourceUri: 'ui://chart' } },
    },
    'Shows a chart.',
  ],
]
test.each(described)('a tool is described by %s', (_, extra, description) => {
  expect(read({ name: 'act', inputSchema: {}, ...extra }).description).toBe(description)
})

const leftOut: [string, Record<string, unknown>, string][] = [
  ['that works only as a task', { execution: { taskSupport: 'required' } }, 'it works only as a task'],
  ['whose input is no object', { inputSchema: { type: ['array', 'null'] } }, 'its input is not an object'],
  ['whose input schema is none', { inputSchema: 'object' }, 'its definition is broken'],
  ['that is nested too deep', { inputSchema: JSON.parse(`${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`) }, 'nested too deep'],
]
test.each(leftOut)('a tool %s is left out, and it is said why', (_, change, why) => {
  expect(parseTool(aTool('act', change))).toEqual({ ok: false, name: 'act', why: expect.stringContaining(why) })
})

test('a choice below the root stays', () => {
  const choice = { type: 'object', properties: { a: { oneOf: [{ type: 'string' }, { type: 'integer' }] } } }
  expect(read(aTool('act', { inputSchema: choice })).input).toMatchObject({ parameters: choice, wrapped: false })
})

describe('a choice at the root', () => {
  test.each([{ oneOf: [{ required: ['a'] }] }, { type: 'object', anyOf: [] }, { allOf: [] }, { $ref: '#/$defs/a', $defs: { a: {} } }])(
    'is offered under input: %j',
    (inputSchema) => {
      const { schema, parameters, wrapped } = read(aTool('act', { inputSchema })).input
      expect([wrapped, parameters['type'], parameters['required']]).toEqual([true, 'object', ['input']])
      expect(schema).toEqual(inputSchema)
    },
  )

  test('keeps its references', () => {
    const inputSchema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      anyOf: [{ $ref: '#/definitions/leaf' }, { properties: { next: { $ref: '#' }, other: { $ref: '#/anyOf/0' } } }],
      definitions: { leaf: { properties: { up: { $ref: '#' }, same: { const: { $ref: '#' } } } } },
    }
    expect(read(aTool('act', { inputSchema })).input.parameters).toEqual({
      type: 'object',
      properties: {
        input: {
          type: 'object',
          anyOf: [
            { $ref: '#/definitions/leaf' },
            { properties: { next: { $ref: '#/properties/input' }, other: { $ref: '#/properties/input/anyOf/0' } } },
          ],
        },
      },
      required: ['input'],
      additionalProperties: false,
      definitions: { leaf: { properties: { up: { $ref: '#/properties/input' }, same: { const: { $ref: '#' } } } } },
    })
  })
})
