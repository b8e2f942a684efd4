import { describe, expect, test } from 'vitest'
import { readArguments } from '../../../src/mcp/arguments/read.ts'
import { offerInput } from '../../../src/mcp/tools/input-schema.ts'

const inputSchema = {
  type: 'object',
  properties: {
    status: { enum: ['open', 'paid'], description: 'State of the invoices.' },
    since: { type: 'string', format: 'date' },
    at: { type: 'string', format: 'date-time' },
    limit: { type: 'integer', minimum: 1, maximum: 100 },
    page: { type: 'integer', exclusiveMinimum: 0 },
    code: { type: 'string', pattern: '^[A-Z]{3}$', examples: ['CHF'] },
    ids: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
    kind: { anyOf: [{ const: 'sum' }, { const: 'mean' }] },
    by: {
      oneOf: [
        { type: 'object', properties: { kind: { const: 'day' }, day: { type: 'string', format: 'date' } }, required: ['kind', 'day'] },
        { type: 'object', properties: { kind: { const: 'week' }, week: { type: 'integer' } }, required: ['kind', 'week'] },
      ],
    },
    owner: { type: 'object', properties: { email: { type: 'string', format: 'email' } }, required: ['email'], additionalProperties: false },
    unit: { const: 'thousand' },
    step: { type: 'integer', multipleOf: 5 },
    name: { type: 'string', minLength: 2, maxLength: 5 },
  },
  required: ['status'],
  additionalProperties: false,
}

const input = offerInput(inputSchema)
if (!input) throw new Error('not offered')
const tool = { name: 'ledger__invoices', input }

/** The fault of arguments that are right but for what is given; the message without its head. */
function faultOf(change: Record<string, unknown>): string {
  const args = { status: 'open', ...change }
  const read = readArguments(tool, JSON.stringify(args), false)
  if (read.ok) throw new Error('it fits')
  return read.why.split('\n').slice(1).join('\n')
}

/** Twenty calls that models get wrong, and what they are told. */
const faults: [string, Record<string, unknown>, string][] = [
  [
    'a value that is none of an enum',
    { status: 'overdue' },
    '- /status is "overdue"; it must be one of "open", "paid". (State of the invoices.)',
  ],
  ['a date as people write it', { since: '24.11.2026' }, '- /since is "24.11.2026"; it must be a date, such as "2026-11-24".'],
  [
    'a time without a zone',
    { at: '2026-11-24 07:00' },
    '- /at is "2026-11-24 07:00"; it must be a date-time, such as "2026-11-24T07:00:00Z".',
  ],
  ['a word for a number', { limit: 'ten' }, '- /limit is "ten"; it must be an integer, such as 1.'],
  ['a fraction', { limit: 1.5 }, '- /limit is 1.5; it must be an integer, such as 1.'],
  ['too little', { limit: 0 }, '- /limit is 0; it must be at least 1.'],
  ['too much', { limit: 500 }, '- /limit is 500; it must be at most 100.'],
  ['a bound that is not included', { page: 0 }, '- /page is 0; it must be more than 0, such as 1.'],
  ['a pattern', { code: 'francs' }, '- /code is "francs"; it must match the pattern ^[A-Z]{3}$, such as "CHF".'],
  ['an empty list', { ids: [] }, '- /ids is []; it must have at least 1 items, and has 0, such as [1].'],
  ['a list that is too long', { ids: [1, 2, 3, 4] }, '- /ids is [1,2,3,4]; it must have at most 3 items, and has 4, such as [1].'],
  ['an item of another type', { ids: [1, 'two'] }, '- /ids/1 is "two"; it must be an integer, such as 1.'],
  ['a choice of values', { kind: 'median' }, '- /kind is "median"; it must be "sum" | "mean", such as "sum".'],
  ['the alternative that was meant', { by: { kind: 'week' } }, '- /by/week is missing; it is an integer, such as 1.'],
  ['a key that an inner object lacks', { owner: {} }, '- /owner/email is missing; it is an email, such as "someone@example.com".'],
  ['a key that is nearly right', { owner: { email: 'a@b.ch', emial: 'a@b.ch' } }, '- /owner/emial is not known; did you mean email?'],
  ['a fixed value', { unit: 'million' }, '- /unit is "million"; it must be "thousand".'],
  ['a step', { step: 7 }, '- /step is 7; it must be a multiple of 5, such as 5.'],
  ['a text that is too short', { name: 'x' }, '- /name is "x"; it must have at least 2 characters, and has 1, such as "text".'],
  [
    'a list for an object',
    { owner: ['a@b.ch'] },
    '- /owner is ["a@b.ch"]; it must be { email: string }, such as {"email":"someone@example.com"}.',
  ],
]

describe('arguments that do not fit are told with their path, what stands there and what fits', () => {
  test.each(faults)('%s', (_, change, told) => {
    expect(faultOf(change)).toBe(told)
  })

  test('the whole of a message', () => {
    expect(readArguments(tool, '{"limit":0,"x":1}', false)).toEqual({
      ok: false,
      why: [
        'the arguments do not fit ledger__invoices, so it was not called:',
        '- /status is missing; it is one of "open", "paid". (State of the invoices.)',
        '- /x is not known; the known ones are status, since, at, limit, page, code, ids, kind, by, owner, unit, step, ….',
        '- /limit is 0; it must be at least 1.',
      ].join('\n'),
    })
  })

  test('a second time with the whole schema', () => {
    const read = readArguments(tool, '{}', true)
    expect(read.ok ? '' : read.why.split('\n').at(-1)).toBe(`The arguments of ledger__invoices are: ${JSON.stringify(inputSchema)}`)
  })

  test('a long value is shown with its beginning', () => {
    expect(faultOf({ status: 'x'.repeat(500) }).length).toBeLessThan(200)
  })

  test('more than five faults are counted', () => {
    expect(
      faultOf({ since: 1.5, at: [], limit: {}, page: [], code: [], ids: 'a'.repeat(3), kind: 1 })
        .split('\n')
        .at(-1),
    ).toMatch(/^- and \d+ more$/)
  })
})

/** A model that knows nothing but what it is told: it puts what the message offers where the message says. */
function correct(args: Record<string, unknown>, why: string): Record<string, unknown> {
  const corrected: Record<string, unknown> = structuredClone(args)
  for (const line of why.split('\n')) {
    const [, path = '', said = ''] = /^- (\/\S*) is (.*)$/.exec(line) ?? []
    const offered = (/such as (.+?)\.(?: \(|$)/.exec(said) ?? /(?:one of|at least|at most|must be) ("[^"]*"|\d+)/.exec(said))?.[1]
    const near = /did you mean (\w+)\?/.exec(said)?.[1]
    const keys = path.split('/').slice(1)
    const last = keys.pop() ?? ''
    let at: unknown = corrected
    for (const key of keys) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
    if (typeof at !== 'object' || at === null) continue
    if (near !== undefined) Reflect.set(at, near, Reflect.get(at, last))
    if (near !== undefined || said.startsWith('not known;')) Reflect.deleteProperty(at, last)
    else if (offered !== undefined) Reflect.set(at, last, JSON.parse(offered))
  }
  return corrected
}

test('a model that only copies what the message offers corrects all twenty at once', () => {
  const corrected = faults.filter(([, change]) => {
    const args = { status: 'open', ...change }
    const read = readArguments(tool, JSON.stringify(args), false)
    return !read.ok && readArguments(tool, JSON.stringify(correct(args, read.why)), false).ok
  })
  expect(corrected.map(([title]) => title)).toEqual(faults.map(([title]) => title))
})
