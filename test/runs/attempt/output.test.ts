import { describe, expect, test } from 'vitest'
import { formInWords, outputCheckOf } from '../../../src/runs/attempt/output.ts'
import { jobSchema, type JobDefinition } from '../../../src/jobs/schema.ts'

// How the answer is asked for, by what the job, its delegate and its provider allow.

const CLOSED = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
const OPEN = { type: 'object', properties: { n: { type: 'integer' } } }

function jobOf(output: object, more: object = {}): JobDefinition {
  const { $schema: _, ...definition } = jobSchema.parse({
    account: 'a',
    model: { provider: 'p', name: 'm' },
    prompt: 'Go.',
    tools: { shop: { allow: ['look'] } },
    output,
    ...more,
  })
  return { ...definition, context: [] }
}
const openai = { formatWithTools: true }
const other = { formatWithTools: false }

describe('the format is strict', () => {
  test.each([
    ['where the schema qualifies', jobOf({ schema: CLOSED }), true],
    ['where the schema qualifies, also in the envelope of a hosted run', jobOf({ schema: CLOSED }, { delegate: 'hosted' }), true],
    ['not where a key may be left out', jobOf({ schema: OPEN }), false],
    ['not where a key may be left out, in an envelope either', jobOf({ schema: OPEN }, { delegate: 'hosted' }), false],
  ])('%s', (_, job, strict) => {
    expect(outputCheckOf(job, openai)?.format.strict).toBe(strict)
  })
})

test.each([
  ['native, where the format goes with tools', 'native', openai, false],
  ['native, where the format would keep the model from its tools', 'native', other, true],
  ['prompt', 'prompt', openai, true],
  ['tool', 'tool', other, false],
] as const)('the schema is told in words: %s', (_, mode, provider, told) => {
  const words = formInWords(outputCheckOf(jobOf({ schema: CLOSED, mode }), provider))
  expect(words?.includes(JSON.stringify(CLOSED)) ?? false).toBe(told)
})

test('a job whose answer is any text has no form', () => {
  const { output: _, ...job } = jobOf({ schema: OPEN })
  expect(outputCheckOf(job, openai)).toBeUndefined()
  expect(formInWords(undefined)).toBeUndefined()
})
