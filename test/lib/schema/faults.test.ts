import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPlaces } from '../../../src/lib/schema/faults/places.ts'
import { compileSchema } from '../../../src/lib/schema/json-schema.ts'

test('what stands at a place or below it is found, whatever names are there', () => {
  const part = fc.oneof(fc.constantFrom('a', 'a-', 'a.', 'a0', 'ab', '', '~1', 'ü', '\u{10ffff}'), fc.string({ maxLength: 2 }))
  const place = fc.array(part, { maxLength: 3 }).map((parts) => parts.map((one) => `/${one.replaceAll('/', '~1')}`).join(''))
  fc.assert(
    fc.property(fc.array(place, { maxLength: 20 }), place, (places, wanted) => {
      const items = places.map((instancePath, n) => ({ instancePath, n }))
      const found = createPlaces(items)(wanted).map(({ n }) => n)
      expect(found.toSorted((a, b) => a - b)).toEqual(
        items.filter(({ instancePath }) => instancePath === wanted || instancePath.startsWith(`${wanted}/`)).map(({ n }) => n),
      )
    }),
  )
})

const CHOICE = { anyOf: [{ type: 'string' }, { type: 'object', properties: { a: { type: 'integer' } } }] }
const told = (schema: Record<string, unknown>, value: unknown) =>
  compileSchema(schema)
    .faults(value)
    .map(({ path, keyword }) => [path, keyword])

test('each item is told by the alternative that it is meant for, whatever its neighbours are', () => {
  const list = { type: 'array', items: CHOICE }
  expect(told(list, [true, { a: 'x' }])).toEqual([
    ['/0', 'anyOf'],
    ['/1/a', 'type'],
  ])
  const named = {
    type: 'array',
    items: { $ref: '#/$defs/one' },
    $defs: { one: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/two' }] }, two: CHOICE.anyOf[1] },
  }
  expect(told(named, [true, 'x', false])).toEqual([
    ['/0', 'anyOf'],
    ['/2', 'anyOf'],
  ])
})

// Each with each other, they would be compared for hours.
test('thirty thousand items of which each fits no alternative are told', () => {
  expect(
    told(
      { type: 'array', items: CHOICE },
      Array.from({ length: 30_000 }, () => true),
    ),
  ).toHaveLength(30_000)
})

test.each([
  [[1, '1', [1], { a: 1 }, null, true, 'true', [[1]], {}], undefined],
  [[1, 2, 1], '/ must NOT have duplicate items (items ## 0 and 2 are identical)'],
  [[{ a: 1, b: [{ c: 1, d: 2 }] }, 'x', { b: [{ d: 2, c: 1 }], a: 1 }], '/ must NOT have duplicate items (items ## 0 and 2 are identical)'],
  [
    [
      [1, 2],
      [2, 1],
      [1, 2],
    ],
    '/ must NOT have duplicate items (items ## 0 and 2 are identical)',
  ],
  [[0, -0], '/ must NOT have duplicate items (items ## 0 and 1 are identical)'],
  [['\ud800', '\ud801'], undefined],
])('items are the same that JSON says are: %j', (items, fault) => {
  expect(compileSchema({ uniqueItems: true })(items)).toBe(fault)
  expect(compileSchema({ uniqueItems: false })(items)).toBeUndefined()
  expect(compileSchema({ $schema: 'http://json-schema.org/draft-07/schema#', uniqueItems: true })(items)).toBe(fault)
})

// Each with each other, they would be compared for minutes.
test('three hundred thousand different items are found to be different', () => {
  expect(compileSchema({ type: 'array', uniqueItems: true })(Array.from({ length: 300_000 }, (_, n) => n))).toBeUndefined()
})
