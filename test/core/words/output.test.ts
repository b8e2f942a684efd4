import { expect, test } from 'vitest'
import { outputWords } from '../../../src/core/words/output.ts'

test('a model that has no format for it is asked in words, with the schema', () => {
  expect(outputWords({ type: 'object', properties: { a: { type: 'string' } } })).toMatchInlineSnapshot(`
    "Your last message must be one JSON value that matches this JSON Schema, with nothing before or after it:
    {"type":"object","properties":{"a":{"type":"string"}}}"
  `)
})
