import { expect, test } from 'vitest'
import { decideDelivery, MAX_DELIVERY_TRIES, nextDeliveryTry } from '../../../src/core/rules/delivery.ts'

test.each([
  { when: 'always', status: 'succeeded', digest: 'a', previousDigest: 'a', sent: true },
  { when: 'always', status: 'failed', digest: undefined, previousDigest: undefined, sent: true },
  { when: 'changed', status: 'succeeded', digest: 'a', previousDigest: undefined, sent: true },
  { when: 'changed', status: 'succeeded', digest: 'b', previousDigest: 'a', sent: true },
  { when: 'changed', status: 'succeeded', digest: 'a', previousDigest: 'a', sent: false },
  { when: 'changed', status: 'incomplete', digest: 'a', previousDigest: 'a', sent: false },
  { when: 'changed', status: 'succeeded', digest: undefined, previousDigest: 'a', nothingNew: true, sent: false },
  { when: 'always', status: 'succeeded', digest: undefined, previousDigest: 'a', nothingNew: true, sent: true },
  { when: 'notGreen', status: 'succeeded', digest: 'b', previousDigest: 'a', sent: false },
  { when: 'notGreen', status: 'incomplete', digest: 'a', previousDigest: 'a', sent: true },
  { when: 'notGreen', status: 'failed', digest: undefined, previousDigest: 'a', sent: true },
  { when: 'notGreen', status: 'cancelled', digest: undefined, previousDigest: 'a', sent: true },
] as const)('$when, $status, output $digest after $previousDigest: sent $sent', ({ when, sent, ...run }) => {
  expect(decideDelivery(when, { nothingNew: false, ...run })).toBe(sent)
})

test('tries come at growing intervals, never more than four hours apart, and end after more than a day', () => {
  const waits: number[] = []
  for (let tries = 1; ; tries++) {
    const [soonest, latest] = [0, 1].map((random) => nextDeliveryTry(tries, random))
    if (!soonest || !latest) {
      expect(tries).toBe(MAX_DELIVERY_TRIES)
      break
    }
    expect(latest).toBeGreaterThan(soonest)
    waits.push(soonest)
  }
  expect(waits.slice(0, 3)).toEqual([10_000, 20_000, 40_000])
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  expect(Math.max(...waits)).toBeLessThanOrEqual(4 * 3_600_000)
  expect(waits.reduce((sum, wait) => sum + wait)).toBeGreaterThan(24 * 3_600_000)
})
