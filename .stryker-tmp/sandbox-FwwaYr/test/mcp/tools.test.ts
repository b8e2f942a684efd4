// @ts-nocheck
import { expect, test } from 'vitest'
import { parseTool, type ListedTool } from '../../src/mcp/tools.ts'
import { aTool } from '../support/mcp/scripted-server.ts'

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

test('an input schema that says nothing is that of an object without properties', () => {
  expect(read(aTool('act', { inputSchema: {} })).inputSchema).toEqual({ type: 'object', properties: {} })
})

test('a tool without a description is described by its title', () => {
  expect(read(aTool('act', { description: undefined, title: 'Act now' })).description).toBe('Act now')
})

const leftOut: [string, Record<string, unknown>, string][] = [
  ['that works only as a task', { execution: { taskSupport: 'required' } }, 'it works only as a task'],
  ['with oneOf at the root', { inputSchema: { oneOf: [] } }, 'oneOf, anyOf or allOf at the root'],
  ['with anyOf at the root', { inputSchema: { type: 'object', anyOf: [] } }, 'oneOf, anyOf or allOf at the root'],
  ['with allOf at the root', { inputSchema: { type: 'object', allOf: [] } }, 'oneOf, anyOf or allOf at the root'],
  ['whose input is no object', { inputSchema: { type: ['object', 'null'] } }, 'its input is not an object'],
  ['without an input schema', { inputSchema: undefined }, 'its definition is broken'],
]
test.each(leftOut)('a tool %s is left out, and it is said why', (_, change, why) => {
  expect(parseTool(aTool('act', change))).toEqual({ ok: false, name: 'act', why: expect.stringContaining(why) })
})

test('a choice below the root stays', () => {
  const choice = { type: 'object', properties: { a: { oneOf: [{ type: 'string' }, { type: 'integer' }] } } }
  expect(read(aTool('act', { inputSchema: choice })).inputSchema).toEqual(choice)
})
