import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberLost, parseDigits, parseDoubles, parseJson, parseKept, tryParse } from '../../../src/lib/json/parse.ts'

const LOST = ['9007199254740993', '-9007199254740993', '9223372036854775807', '1e400', '-1E400', '1e-400', '90071992547409930e-1']
const KEPT = ['-0', '1.0', '12.5', '-7', '9007199254740992', '1e22', '0.1234567890123456789']
const NO_JSON = ['NaN', 'Infinity', '-Infinity', '0x10', '+1', '01', '1.', '.5', '1_000', "'1'"]

test.each(LOST)('%s in a foreign text is refused, a text of its digits, or the text itself: by who reads', (number) => {
  const text = `{"rows": [{"id": ${number}}]}`
  expect(() => parseJson(text)).toThrow(new NumberLost(`/rows/0/id is ${number}, a number that programs do not keep; write it as a text`))
  expect(parseDigits(text)).toEqual({ rows: [{ id: number }] })
  expect(parseKept(text)).toBe(text)
  expect(parseDoubles(text)).toEqual({ rows: [{ id: Number(number) }] })
  expect(tryParse(text)).toBeUndefined()
})

test.each(KEPT)('%s is the number that it is to all of them', (number) => {
  for (const parse of [parseJson, parseDigits, parseKept, parseDoubles]) expect(parse(`[${number}]`)).toEqual([Number(number)])
})

test.each(NO_JSON)('%s is no JSON to any of them', (text) => {
  for (const parse of [parseJson, parseDigits, parseKept, parseDoubles]) {
    expect(() => parse(`[${text}]`)).toThrow(SyntaxError)
    expect(tryParse(`[${text}]`, parse)).toBeUndefined()
  }
})

const digits = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.constantFrom('', '.0', '.5', 'e2', 'E-3', '.25e+7'))
  .map(([n, rest]) => `${n}${rest}`)
const jsonText = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    digits,
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null'),
    tie('object'),
    tie('list'),
  ),
  object: fc
    .array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 })
    .map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)} : ${value}`).join(',')}}`),
  list: fc.array(tie('value'), { maxLength: 4 }).map((values) => `[ ${values.join(' , ')} ]`),
})).value

/** All integers of a text or value, as whole numbers, in their order. */
const numbersOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(numbersOf)
    : typeof value === 'number' || typeof value === 'string'
      ? [String(value)]
      : []

test('whatever is read, no integer becomes another one, and nothing else changes', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const doubles = parseDoubles(text)
      const exact = parseDigits(text)
      expect(numbersOf(exact).map(Number)).toEqual(numbersOf(doubles).map(Number))
      if (parseKept(text) === text && typeof doubles !== 'string') expect(() => parseJson(text)).toThrow(NumberLost)
      else expect(JSON.stringify(exact)).toBe(JSON.stringify(doubles))
    }),
  )
})
