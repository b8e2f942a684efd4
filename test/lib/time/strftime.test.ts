import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ordinal, strftime, unknownCodes } from '../../../src/lib/time/strftime.ts'
import { inZone } from '../../../src/lib/time/zoned.ts'

const at = (instant: string, zone = 'UTC') => inZone(new Date(instant), zone)

/** Dates around New Year, changes of the clock and a leap day, as GNU date writes them with LC_ALL=C. */
const recorded = z
  .strictObject({ format: z.string(), dates: z.array(z.strictObject({ zone: z.string(), at: z.string(), written: z.string() })) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/dates-gnu.json'), 'utf8')))

test.each(recorded.dates)('$at in $zone is written as GNU date does', ({ zone, at: instant, written }) => {
  expect(strftime(at(instant, zone), recorded.format).split('|')).toEqual(written.split('|'))
})

test.each([
  ['%Z %z %:z', 'Europe/Zurich +0100 +01:00'],
  ['%v', ' 1-JAN-2027'],
  ['%+', 'Fri Jan  1 01:30:05 Europe/Zurich 2027'],
  ['%L %3N %6N %N', '123 123 123000 123000000'],
  ['%n%t%%', '\n\t%'],
  ['%-d.%-m.%y, no code', '1.1.27, no code'],
  ['%^A %#A %#p %_3d %3d', 'FRIDAY FRIDAY am   1 001'],
  ['%G-W%V', '2026-W53'],
  ['ä%%F%F', 'ä%F2027-01-01'],
])('%j is %j', (format, text) => {
  expect(strftime(at('2027-01-01T00:30:05.123Z', 'Europe/Zurich'), format)).toBe(text)
})

test.each([
  ['%Y-%m-%d', []],
  ['%E %i', ['%E', '%i']],
  ['100%', ['%']],
  ['100% of', ['% ']],
  ['%5', ['%5']],
  ['%-Q%%Q', ['%-Q']],
  ['%é', ['%é']],
])('in %j these are not known: %j', (format, codes) => {
  expect(unknownCodes(format)).toEqual(codes)
})

test('a format with a code that is not known writes nothing', () => {
  expect(() => strftime(at('2027-01-01T00:00Z'), '%Y %E')).toThrow('the date format has %E, which strftime does not know')
})

test('days are counted in English', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '22nd',
    '23rd',
    '31st',
  ])
})
