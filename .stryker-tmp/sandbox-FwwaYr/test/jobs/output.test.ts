// @ts-nocheck
import { expect, test } from 'vitest'
import { parseOutput } from '../../src/jobs/output.ts'

const schema = { type: 'object', required: ['summary'], additionalProperties: false, properties: { summary: { type: 'string' } } }
const ANSWER = '{"summary":"ok"}'

test.each([
  ['as it is', ANSWER],
  ['with white space around it', `\n  ${ANSWER}\n`],
  ['in a fence', `\`\`\`\n${ANSWER}\n\`\`\``],
  ['in a fence that says json', `\n\`\`\`json\n${ANSWER}\n\`\`\`\n`],
  ['in a fence with Windows newlines', `\`\`\`json\r\n${ANSWER}\r\n\`\`\``],
])('JSON %s is read', (_, text) => {
  expect(parseOutput(text, schema)).toEqual({ ok: true, value: { summary: 'ok' } })
})

test('a fence inside of the JSON is part of it', () => {
  const summary = '```json\n{}\n```'
  expect(parseOutput(JSON.stringify({ summary }), schema)).toEqual({ ok: true, value: { summary } })
})

test.each([
  ['nothing', '', 'it is not JSON (Unexpected end of JSON input)'],
  ['an empty fence', '```json\n\n```', 'it is not JSON'],
  ['words before it', `Here it is: ${ANSWER}`, 'it is not JSON'],
  ['words after a fence', `\`\`\`json\n${ANSWER}\n\`\`\`\nDone.`, 'it is not JSON'],
  ['two answers', `${ANSWER}\n${ANSWER}`, 'it is not JSON'],
  ['half an answer', ANSWER.slice(0, -1), 'it is not JSON'],
  ['another type', '[]', 'it does not match the schema: / must be object'],
  ['null', 'null', 'it does not match the schema: / must be object'],
  ['a field of another type', '{"summary":1}', 'it does not match the schema: /summary must be string'],
  ['a missing field', '{}', "it does not match the schema: / must have required property 'summary'"],
  ['a field too many', '{"summary":"ok","x":1}', 'it does not match the schema: / must NOT have additional properties (x)'],
  [
    'a key that JavaScript knows',
    '{"summary":"ok","__proto__":{}}',
    'it does not match the schema: / must NOT have additional properties (__proto__)',
  ],
])('%s is not the answer, and it is said why', (_, text, why) => {
  const parsed = parseOutput(text, schema)
  expect(parsed).toMatchObject({ ok: false, why: expect.stringContaining(why) })
})
