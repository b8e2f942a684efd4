// How long a provider asks to wait: by whichever header, or in words.
import { expect, test } from 'vitest'
import { waitOf } from '../../../src/models/errors/wait.ts'

const now = Date.parse('2026-11-28T12:00:00Z')
const limit = (what: string, remaining: string, reset: string) => ({
  [`anthropic-ratelimit-${what}-remaining`]: remaining,
  [`anthropic-ratelimit-${what}-reset`]: reset,
})
const AT = (time: string) => `2026-11-28T${time}Z`

const waits: [headers: Record<string, string>, text: string, waitMs: number | undefined][] = [
  [{ 'retry-after': '90' }, '', 90_000],
  [{ 'retry-after': '90', 'retry-after-ms': '1500' }, 'try again in 20s', 1500],
  [{ 'retry-after': '5', ...limit('tokens', '0', AT('12:02:00')) }, '', 5000],
  [{ ...limit('requests', '0', AT('12:01:00')), ...limit('tokens', '0', AT('12:02:00')) }, '', 120_000],
  [{ ...limit('requests', '0', AT('12:01:00')), ...limit('input-tokens', '5', AT('12:50:00')) }, '', 60_000],
  [limit('output-tokens', '0', AT('11:00:00')), '', 0],
  [limit('output-tokens', '0', 'soon'), 'try again in 20s', 20_000],
  [limit('tokens', '7', AT('12:01:00')), '', undefined],
  [{}, 'Please retry after 12 seconds.', 12_000],
  [{}, 'Later.', undefined],
]

test.each(waits)('%j with “%s” asks for %s ms', (headers, text, waitMs) => {
  expect(waitOf(new Headers(headers), { isRate: true, text, now })).toBe(waitMs)
})

test('of what is no limit of a rate the header alone counts', () => {
  const headers = new Headers(limit('tokens', '0', AT('12:01:00')))
  expect(waitOf(headers, { isRate: false, text: 'try again in 20s', now })).toBeUndefined()
  expect(waitOf(undefined, { isRate: true, text: 'try again in 20s', now })).toBe(20_000)
})
