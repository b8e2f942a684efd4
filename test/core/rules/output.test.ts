import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readOutput } from '../../../src/core/rules/output.ts'

const table = z
  .object({
    schema: z.record(z.string(), z.unknown()),
    limitTokens: z.number(),
    answers: z.array(
      z.object({
        name: z.string(),
        text: z.string(),
        cut: z.boolean().default(false),
        value: z.unknown().optional(),
        why: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/answers.json', import.meta.url), 'utf8')))
const { schema, limitTokens, answers } = table

const read = (text: string, options = {}) => readOutput(text, schema, { limitTokens, ...options })
const ANSWER = '{"summary":"x","total":1200}'
const VALUE = { summary: 'x', total: 1200 }

test.each(answers.filter(({ why }) => why === undefined))('an answer with one reading is read: $name', ({ text, cut, value }) => {
  expect(read(text, { cut })).toMatchObject({ ok: true, value })
})

test.each(answers.filter(({ why }) => why !== undefined))('any other is not, and it is said why: $name', ({ text, cut, why }) => {
  expect(read(text, { cut })).toMatchObject({
    ok: false,
    why: expect.stringContaining(why ?? ''),
    told: expect.stringContaining(why ?? ''),
  })
})

test.each([
  ['the whole answer', ANSWER, []],
  ['words around it', `Here: ${ANSWER}`, ['The text around the JSON was left out.']],
  [
    'a mark, thoughts and a fence',
    `\ufeff<think>hm</think>\n\`\`\`json\n${ANSWER}\n\`\`\``,
    ['A byte order mark was left out.', 'The thoughts before the answer were left out.', 'The fence around the JSON was left out.'],
  ],
  ['thoughts whose begin is not there', `Maybe {"total":1}?\n</think>\n${ANSWER}`, ['The thoughts before the answer were left out.']],
  ['thoughts twice', `<think>{"total":1}</think> [THINK]hm[/THINK]${ANSWER}`, ['The thoughts before the answer were left out.']],
  [
    'slips in the writing',
    '{"rows":[{"id":1,}], // none\n"summary":"x","total":1200',
    [
      'A comma before a closing bracket was left out.',
      'A comment was left out.',
      'Closing brackets that were missing at the end were added.',
    ],
  ],
  [
    'slips in values',
    '{"summary":"x","total":"1200","status":null,"rows":[],"due":"7","note":"extra"}',
    [
      '/note was left out: "extra".',
      '/status was left out: null.',
      '/total was "1200" and is read as 1200.',
      '/due was "7" and is read as 7.',
    ],
  ],
])('what was put right is written down: %s', (_, text, mended) => {
  const output = read(text)
  expect(output.ok && output.mended).toEqual(mended)
})

test('what stands in a text is not taken for thoughts', () => {
  expect(read(`{"summary":"</think>","rows":${ANSWER}, no JSON`)).toMatchObject({ ok: false })
})

test('of very many slips the first are written down, and how many more there were', () => {
  const rows = Array.from({ length: 50 }, (_, i) => ({ id: String(i) }))
  const output = read(JSON.stringify({ ...VALUE, rows }))
  expect(output.ok && output.mended.slice(-2)).toEqual(['/rows/9/id was "9" and is read as 9.', 'And 40 more values were put right.'])
})

test('the model is told each place, what stands there, what would fit, and the schema', () => {
  const output = read('{"total":"twelve","status":"done","rows":[{"id":1.5}]}')
  expect(output.ok || output.told).toMatchInlineSnapshot(`
    "it does not match the schema:
    - /summary is missing; it is a string, such as "text".
    - /total is "twelve"; it must be a number, such as 1.
    - /status is "done"; it must be one of "ok", "Failed".
    - /rows/0/id is 1.5; it must be an integer, such as 1.
    The schema is: {"type":"object","required":["summary","total"],"additionalProperties":false,"properties":{"summary":{"type":"string"},"total":{"type":"number"},"status":{"enum":["ok","Failed"]},"rows":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"note":{"type":"string"}}}},"due":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}"
  `)
})

test('of a cut answer the model is told the limit that cut it', () => {
  const output = read('{"summary":"a long', { cut: true })
  expect(output.ok || output.told).toMatchInlineSnapshot(
    `"it was cut off at the limit of 4096 tokens for an answer; say the same in fewer words, so that the whole of it fits. The schema is: {"type":"object","required":["summary","total"],"additionalProperties":false,"properties":{"summary":{"type":"string"},"total":{"type":"number"},"status":{"enum":["ok","Failed"]},"rows":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"note":{"type":"string"}}}},"due":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}"`,
  )
})

describe('an answer that is not to be mended', () => {
  test.each([ANSWER, `Here: ${ANSWER}`, `\`\`\`\n${ANSWER}\n\`\`\``])('is found as it was written: %s', (text) => {
    expect(read(text, { mend: false })).toMatchObject({ ok: true, value: VALUE })
  })

  test.each([
    ['{"summary":"x","total":"1200"}', '/total is "1200"; it must be a number'],
    ['{"summary":"x","total":1200,}', 'there is a comma before a closing bracket'],
    ['{"summary":"x","total":1200', 'closing brackets are missing at its end'],
    ['{"summary":"x",//\n"total":1200}', 'there is a comment in it'],
  ])('is refused with its slip: %s', (text, why) => {
    expect(read(text, { mend: false })).toMatchObject({ ok: false, why: expect.stringContaining(why) })
  })
})

test.each([
  ['a list', { type: 'array', items: { type: 'integer' } }, 'They are [1,2].', [1, 2]],
  ['an object or a list', { items: { type: 'integer' }, properties: { a: {} }, type: ['object', 'array'] }, 'It is {"a":1}.', { a: 1 }],
  ['a schema without a type', { required: ['a'] }, 'It is {"a":1}.', { a: 1 }],
  ['a text', { type: 'string' }, '"done"', 'done'],
  ['a text in a fence', { type: 'string' }, '```json\n"done"\n```', 'done'],
])('%s is found', (_, wanted, text, value) => {
  expect(readOutput(text, wanted)).toMatchObject({ ok: true, value })
})

test('a text in words is not guessed', () => {
  expect(readOutput('It is {"a":1} "done".', { type: 'string' })).toMatchObject({ ok: false })
})

test('a spare key is left out only where all known ones are there', () => {
  const two = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } }, additionalProperties: false }
  expect(readOutput('{"a":1,"b":2,"c":3,"d":{"e":[]}}', two)).toMatchObject({ ok: true, value: { a: 1, b: 2 } })
  expect(readOutput('{"a":1,"c":3}', two)).toMatchObject({ ok: false })
})

const json = fc.jsonValue({ maxDepth: 4 })
const anything = {}

test('an answer that is JSON is read as it stands, whatever it is', () => {
  fc.assert(
    fc.property(json, fc.boolean(), (value, cut) => {
      const text = JSON.stringify(value)
      fc.pre(text.trim() !== '')
      expect(readOutput(text, anything, { cut })).toEqual({ ok: true, value: JSON.parse(text), mended: [] })
    }),
  )
})

test('the same value is read from a fence, from words, and with a bracket short', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 })
  const words = fc.stringMatching(/^[a-zäöü .,:;!?\n()*_-]{0,30}$/)
  fc.assert(
    fc.property(object, words, words, fc.constantFrom(0, 2), (value, before, after, indent) => {
      const text = JSON.stringify(value, null, indent)
      const expected = JSON.parse(text)
      for (const written of [`${before} ${text} ${after}`, `${before}\n\`\`\`json\n${text}\n\`\`\`\n${after}`, text.slice(0, -1)])
        expect(readOutput(written, { type: 'object' })).toMatchObject({ ok: true, value: expected })
    }),
  )
})

test('no key and no text that the answer does not have is ever in the output', () => {
  const stump = fc.tuple(fc.dictionary(fc.string(), json, { minKeys: 1 }), fc.nat(), fc.boolean()).map(([value, at, cut]) => {
    const text = JSON.stringify(value)
    return { text: text.slice(0, at % (text.length + 1)), cut }
  })
  const keysOf = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.flatMap(keysOf)
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, one]) => [key, ...keysOf(one)])
        : []
  fc.assert(
    fc.property(stump, ({ text, cut }) => {
      const output = readOutput(text, { type: 'object' }, { cut })
      if (!output.ok) return
      for (const key of keysOf(output.value)) expect(text).toContain(JSON.stringify(key))
      if (cut) expect(JSON.parse(text)).toEqual(output.value)
    }),
  )
})

test.each([
  ['opening brackets', '['.repeat(200_000)],
  ['braces', '{'.repeat(200_000)],
  ['lists of words', '[t'.repeat(100_000)],
  ['quotes', '"'.repeat(200_000)],
  ['an open object and quotes', `{"a":"${'\\"'.repeat(100_000)}`],
  ['a fence and lines', `\`\`\`json\n${'\n'.repeat(200_000)}`],
  ['commas', `{"a":[1${','.repeat(200_000)}]}`],
  ['comments', `{${'//\n'.repeat(100_000)}`],
  ['a deep value', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['many small values', '{} '.repeat(100_000)],
  ['many faults', `{"rows":[${'{"id":"x"},'.repeat(20_000)}{}]}`],
  [
    'many spare keys',
    `{"summary":"x","total":1,"status":"ok","rows":[],"due":1,${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join()}}`,
  ],
])('%s are read in linear time', { timeout: 5000 }, (_, text) => {
  expect(read(text).ok).toBe(false)
})
