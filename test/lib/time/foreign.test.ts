import { expect, test } from 'vitest'
import { askedMs, foreignTime, rateResetMs, retryAfterMs } from '../../../src/lib/time/foreign.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-11-28T00:00:00Z')

test.each([
  [undefined, undefined],
  [Number.NaN, undefined],
  [-5, 0],
  [12.5, 12.5],
  [Number.POSITIVE_INFINITY, DAY_MS],
])('a wait of %s ms that was asked for is one of %s ms', (asked, ms) => {
  expect(askedMs(asked)).toBe(ms)
})

test.each<[headers: Record<string, string>, ms: number | undefined]>([
  [{}, undefined],
  [{ 'retry-after': '' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': 'NaN' }, undefined],
  [{ 'retry-after': '-0' }, undefined],
  [{ 'retry-after': '7' }, 7000],
  [{ 'retry-after': ' 1.5 ' }, 1500],
  [{ 'retry-after': '9007199254740993' }, DAY_MS],
  [{ 'retry-after': '9'.repeat(400) }, DAY_MS],
  [{ 'retry-after': 'Sat, 28 Nov 2026 00:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, DAY_MS],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
  [{ 'retry-after-ms': 'Infinity', 'retry-after': '7' }, 7000],
  [{ 'retry-after-ms': '', 'retry-after': '7' }, 7000],
  [{ 'retry-after-ms': '1'.repeat(20) }, DAY_MS],
])('%j asks for %s ms', (headers, ms) => {
  expect(retryAfterMs(new Headers(headers), NOW)).toBe(ms)
})

test.each([
  ['2026-11-24T07:00:00+02:00', true],
  ['1970-01-01T00:00:00Z', true],
  ['9999-12-31T23:59:59.999Z', true],
  ['9999-12-31T23:59:59-00:01', false],
  ['1969-12-31T23:59:59Z', false],
  ['0000-01-01T00:00:00Z', false],
  ['2026-02-30T00:00:00Z', false],
  ['2026-11-24T07:00:00', false],
  ['+010000-01-01T00:00:00Z', false],
  ['NaN', false],
])('whether %s is a time that is taken: %s', (text, isTaken) => {
  expect(foreignTime.safeParse(text).success).toBe(isTaken)
})

test.each<[headers: Record<string, string>, ms: number | undefined]>([
  [{}, undefined],
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '120ms' }, 120],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1h2m3.5s' }, 3_723_500],
  // Of two that are used up, the one that is there again last; one that is not used up is no reason.
  [
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '2s',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '7s',
    },
    7000,
  ],
  [{ 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': '7s' }, undefined],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': 'soon' }, undefined],
  [{ 'x-ratelimit-remaining-tokens': '0' }, undefined],
  [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '9999h' }, DAY_MS],
])('a rate that is used up by %o is there again after %s ms', (headers, ms) => {
  expect(rateResetMs(new Headers(headers))).toBe(ms)
})
