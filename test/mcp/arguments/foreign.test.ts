import { describe, expect, test } from 'vitest'
import { readForeignArguments } from '../../../src/mcp/arguments/foreign.ts'
import { digestOf } from '../../../src/lib/hash/digest.ts'
import type { Schema } from '../../../src/lib/schema/shape.ts'
import { offerInput } from '../../../src/mcp/tools/input-schema.ts'

function read(schema: Schema, args: unknown) {
  const input = offerInput(schema)
  if (!input) throw new Error('no object fits the schema')
  const text = typeof args === 'string' ? args : JSON.stringify(args)
  return readForeignArguments({ name: 'shop__act', input, digest: () => digestOf(schema) }, text, false)
}

const object = (properties: Schema, extra: Schema = {}): Schema => ({ type: 'object', properties, ...extra })

/** Each definition is the next one twice: 3 KB that stand for 2^40 checks. */
function doubled(depth: number): Schema {
  const $defs: Schema = { [`d${depth}`]: { type: 'string' } }
  for (let n = 0; n < depth; n++) $defs[`d${n}`] = { anyOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] }
  return object({ a: { $ref: '#/$defs/d0' } }, { $defs })
}

const many = Array.from({ length: 20_000 }, (_, n) => ({ n, list: [n, n + 1] }))
const costly: [string, Schema, unknown][] = [
  ['references that double', doubled(40), { a: 1 }],
  [
    'a pattern of many alternatives',
    object({ a: { type: 'string', pattern: `^(${'(a|aa|aaa){1,50}'.repeat(40)})$` } }),
    { a: `${'a'.repeat(200_000)}b` },
  ],
]

describe('a schema of a server', () => {
  test.each(costly)('with %s does not stop the process: the arguments go to the server unchecked', async (_, schema, args) => {
    expect(await read(schema, args)).toEqual({
      read: { ok: true, arguments: { json: JSON.stringify(args), value: args } },
      unchecked: true,
    })
    // Known from now on.
    expect(await read(schema, args)).toMatchObject({ unchecked: true })
  })

  test('that costs too much still wants a JSON object', async () => {
    expect(await read(doubled(41), '[1]')).toMatchObject({ read: { ok: false, why: expect.stringContaining('must be a JSON object') } })
    expect(await read(doubled(41), '{"a":')).toMatchObject({ read: { ok: false, why: expect.stringContaining('not valid JSON') } })
  })

  const checked: [string, Schema, unknown, unknown][] = [
    ['references', object({ a: { $ref: '#/$defs/one' } }, { $defs: { one: { type: 'integer' } } }), { a: 'x' }, { a: 1 }],
    ['many items that are all different', object({ a: { type: 'array', uniqueItems: true } }), { a: [...many, many[0]] }, { a: many }],
    ['a pattern', object({ a: { type: 'string', pattern: '^[a-z]+$' } }), { a: '1' }, { a: 'x' }],
    ['a format that takes time', object({ a: { type: 'string', format: 'email' } }), { a: 'x' }, { a: 'x@example.com' }],
    ['a format that takes none', object({ a: { type: 'string', format: 'date' } }), { a: 'x' }, { a: '2026-11-24' }],
    [
      'many parts',
      object(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, { type: 'integer' }]))),
      { k499: 'x' },
      { k499: 1 },
    ],
    [
      'a choice at the root',
      { anyOf: [object({ a: { type: 'integer' } }, { required: ['a'] })] },
      { input: { a: 'x' } },
      { input: { a: 1 } },
    ],
  ]
  test.each(checked)('with %s is checked, in a thread or at once', async (_, schema, wrong, right) => {
    expect(await read(schema, wrong)).toMatchObject({
      read: { ok: false, why: expect.stringContaining('do not fit shop__act') },
      unchecked: false,
    })
    expect(await read(schema, right)).toMatchObject({ read: { ok: true }, unchecked: false })
  })

  test('that is checked in a thread keeps the digits of a number, and mends what leaves no choice', async () => {
    const schema = object({ id: { $ref: '#/$defs/id' } }, { $defs: { id: { type: 'integer' } } })
    const { read: exact } = await read(schema, '{"id": 9007199254740993}')
    expect(exact).toMatchObject({ ok: true, arguments: { json: '{"id": 9007199254740993}', value: '{"id": 9007199254740993}' } })
    expect(await read(schema, '{"id": "20"}')).toMatchObject({ read: { arguments: { json: '{"id": 20}' } } })
  })
})
