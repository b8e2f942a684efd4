import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Phase, TurnItem } from '../../../src/core/run.ts'
import { answerTexts, envelopeSchema, openEnvelope, readEndingOf } from '../../../src/core/rules/endings.ts'
import { compileSchema } from '../../../src/lib/schema/json-schema.ts'
import { fitsStrictMode } from '../../../src/lib/schema/strict.ts'

const total = { type: 'object', properties: { total: { type: 'integer' } }, required: ['total'], additionalProperties: false }
const incomplete = { because: 'missing_data', what: 'No March.', tried: 'Two looks.' }

describe('the schema of an envelope', () => {
  const fits = (schema: Record<string, unknown>, value: unknown) => compileSchema(envelopeSchema(schema))(value) === undefined

  test('takes a result, or an ending, and nothing beside them', () => {
    expect(fits(total, { result: { total: 1 }, incomplete: null, nothing_new: null })).toBe(true)
    expect(fits(total, { result: null, incomplete: { ...incomplete, draft: null }, nothing_new: null })).toBe(true)
    expect(fits(total, { result: null, incomplete: null, nothing_new: { why: 'Nothing came.' } })).toBe(true)
    expect(fits(total, { result: { total: 'one' }, incomplete: null, nothing_new: null })).toBe(false)
    expect(fits(total, { result: null, incomplete: { ...incomplete, because: 'tired', draft: null }, nothing_new: null })).toBe(false)
    expect(fits(total, { total: 1 })).toBe(false)
  })

  test('wants every key of an ending, and takes null for one that may be left out', () => {
    expect(fits(total, { result: null, incomplete, nothing_new: null })).toBe(false)
    expect(fits(total, { result: null, incomplete: { ...incomplete, draft: 'as far as it goes' }, nothing_new: null })).toBe(true)
    expect(fits(total, { result: null, incomplete: { ...incomplete, what: null, draft: null }, nothing_new: null })).toBe(false)
    expect(fits(total, { result: null, incomplete: null, nothing_new: { why: null } })).toBe(false)
  })

  test('says in a sentence what each ending is for', () => {
    const { properties } = z
      .looseObject({ properties: z.record(z.string(), z.looseObject({ anyOf: z.array(z.looseObject({})) })) })
      .parse(envelopeSchema(total))
    for (const key of ['incomplete', 'nothing_new']) {
      const [ending] = properties[key]?.anyOf ?? []
      expect(ending?.['description']).toMatch(/^[A-Z][^.]+$/)
    }
  })

  test('qualifies for strict mode where the job’s own schema does', () => {
    expect(fitsStrictMode(envelopeSchema(total))).toBe(true)
    expect(fitsStrictMode(envelopeSchema({ ...total, minProperties: 1 }))).toBe(false)
  })

  test('keeps the references of the job’s schema right, and values and names that only look like one', () => {
    const tree = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        $ref: { const: { $ref: '#/x' } },
        next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
        unit: { $ref: '#/$defs/unit' },
      },
      required: ['unit'],
      $defs: { unit: { enum: ['t', 'kg'] } },
    }
    const one = (result: unknown) => fits(tree, { result, incomplete: null, nothing_new: null })
    expect(one({ unit: 't', next: { unit: 'kg', next: null } })).toBe(true)
    expect(one({ unit: 't', next: { unit: 'lb', next: null } })).toBe(false)
    expect(one({ unit: 't', $ref: { $ref: '#/x' } })).toBe(true)
    expect(one({ unit: 't', $ref: { $ref: '#/properties/result/x' } })).toBe(false)
  })
})

const endings: [said: string, text: string, opened: unknown][] = [
  ['a result', '{"result":{"n":1.50},"incomplete":null,"nothing_new":null}', { ending: undefined, result: '{"n":1.50}' }],
  ['a result alone', '{"result":[1]}', { ending: undefined, result: '[1]' }],
  ['an obstacle', JSON.stringify({ incomplete }), { ending: { kind: 'incomplete', ...incomplete, draft: undefined }, result: undefined }],
  [
    'an obstacle in a fence, beside nulls',
    `Sorry.\n\`\`\`json\n${JSON.stringify({ result: null, incomplete: { ...incomplete, draft: null }, nothing_new: null })}\n\`\`\``,
    { ending: { kind: 'incomplete', ...incomplete, draft: undefined }, result: undefined },
  ],
  [
    'an obstacle beside a result, which is its draft',
    JSON.stringify({ result: { total: 0 }, incomplete }),
    { ending: { kind: 'incomplete', ...incomplete, draft: '{"total":0}' }, result: undefined },
  ],
  [
    'an obstacle with a draft of its own beside a result',
    JSON.stringify({ result: { total: 0 }, incomplete: { ...incomplete, draft: 'mine' } }),
    { ending: { kind: 'incomplete', ...incomplete, draft: 'mine' }, result: undefined },
  ],
  [
    'nothing new beside a result',
    '{"result":{"total":0},"nothing_new":{"why":"No mail."}}',
    { ending: { kind: 'nothing-new', why: 'No mail.' }, result: undefined },
  ],
  ['an obstacle that is none beside a result', '{"result":1,"incomplete":{"because":"tired"}}', { ending: undefined, result: '1' }],
  ['nothing new', '{"nothing_new":{"why":"No mail."}}', { ending: { kind: 'nothing-new', why: 'No mail.' }, result: undefined }],
  ['an obstacle that is none', '{"incomplete":{"because":"tired"}}', undefined],
  ['only nulls', '{"result":null,"incomplete":null}', undefined],
  ['an object of the job’s own', '{"result":1,"total":2}', undefined],
  ['an empty object', '{}', undefined],
  ['two objects', '{"result":1} {"result":2}', undefined],
  ['a text that is no JSON', '{"result":', undefined],
  ['prose', 'All is well.', undefined],
  ['a list', '[{"result":1}]', undefined],
]
test.each(endings)('an answer that is %s is opened as what it is', (_, text, opened) => {
  expect(openEnvelope(text)).toEqual(opened)
})

test.each([
  ['incomplete', { because: 'other', what: '', tried: '' }, /^\/what \S/],
  ['incomplete', { because: 'other', what: 'No March.' }, /^\/tried \S/],
  ['incomplete', { because: 'other', what: 'No March.', tried: '', draft: 1 }, /^\/draft \S/],
  ['nothing-new', {}, /^\/why \S/],
  ['nothing-new', null, /^\/ \S/],
] as const)('an ending that does not fit says where: %s of %j', (kind, value, why) => {
  expect(readEndingOf(kind, value)).toEqual({ ok: false, why: expect.stringMatching(why) })
})

test('a draft that is given is kept', () => {
  expect(readEndingOf('incomplete', { ...incomplete, draft: 'so far' })).toEqual({
    ok: true,
    ending: { kind: 'incomplete', ...incomplete, draft: 'so far' },
  })
})

const said = (text: string, phase?: Phase): TurnItem => ({ type: 'message', text, ...(phase && { phase }) })

test.each<[what: string, items: TurnItem[], expected: string[]]>([
  ['nothing', [], []],
  ['messages that do not say what they are', [said('a'), { type: 'reasoning', raw: {} }, said('b')], ['a', 'b']],
  ['a message on the way and one that does not say what it is', [said('a', 'commentary'), said('b')], ['b']],
  ['one that is the answer, and others', [said('a'), said('b', 'final_answer'), said('c', 'commentary')], ['b']],
  ['two that are the answer', [said('a', 'final_answer'), said('b', 'final_answer')], ['a', 'b']],
  ['messages on the way alone', [said('a', 'commentary')], []],
])('the answer, of %s', (_, items, expected) => {
  expect(answerTexts(items)).toEqual(expected)
})
