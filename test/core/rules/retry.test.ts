import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/failure.ts'
import { FAILURES, type FailureCode } from '../../../src/core/failure-codes.ts'
import { decideRetry } from '../../../src/core/rules/retry.ts'

const policy = { attempts: 3, backoffMs: 30_000 }
const failure = (code: FailureCode, retryAfterMs?: number) => new Failure({ code, message: 'x.', retryAfterMs })
const waitMs = (decision: ReturnType<typeof decideRetry>) => (decision.verdict === 'retry' ? decision.waitMs : decision.verdict)

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)

test.each(codes)('%s is retried as the table of failures says', (code) => {
  const verdict = { later: 'retry', never: 'stop', 'after-connection': 'wait' }[FAILURES[code].retry]
  expect(decideRetry(failure(code), 1, policy, 0).verdict).toBe(verdict)
})

test('a failure can say otherwise than its code', () => {
  const never = new Failure({ code: 'GATEWAY_UNREACHABLE', message: 'x.', retry: 'never' })
  expect(decideRetry(never, 1, policy, 0)).toEqual({ verdict: 'stop' })
})

test('the wait doubles with each attempt, and the last attempt has none after it', () => {
  const waits = [1, 2, 3, 4].map((attempt) => waitMs(decideRetry(failure('UPSTREAM_UNAVAILABLE'), attempt, policy, 0)))
  expect(waits).toEqual([30_000, 60_000, 'stop', 'stop'])
})

test('a policy of one attempt never retries', () => {
  expect(decideRetry(failure('UPSTREAM_UNAVAILABLE'), 1, { ...policy, attempts: 1 }, 0)).toEqual({ verdict: 'stop' })
})

test('the wait is an hour at most, before it is spread', () => {
  const patient = { attempts: 5000, backoffMs: 30_000 }
  for (const attempt of [8, 100, 4999]) {
    expect(waitMs(decideRetry(failure('UPSTREAM_UNAVAILABLE'), attempt, patient, 0))).toBe(3_600_000)
    expect(waitMs(decideRetry(failure('UPSTREAM_UNAVAILABLE'), attempt, patient, 0.5))).toBe(3_960_000)
  }
})

test.each([
  [0, 30_000],
  [0.5, 33_000],
  [0.999_999, 36_000],
])('random %d spreads a wait of 30 s to %d ms', (random, ms) => {
  expect(waitMs(decideRetry(failure('UPSTREAM_UNAVAILABLE'), 1, policy, random))).toBe(ms)
})

test('without a given random, the wait is between the backoff and a fifth more', () => {
  const ms = waitMs(decideRetry(failure('UPSTREAM_UNAVAILABLE'), 1, policy))
  expect(ms).toBeGreaterThanOrEqual(30_000)
  expect(ms).toBeLessThanOrEqual(36_000)
})

test.each([
  [0, 30_000],
  [29_999, 30_000],
  [86_400_000, 86_400_000],
  // A year, the end of the calendar, and what no date can hold.
  [31_536_000_000, 86_400_000],
  [8.64e15, 86_400_000],
  [1e300, 86_400_000],
  [Number.POSITIVE_INFINITY, 86_400_000],
  [Number.NaN, 30_000],
  [-1, 30_000],
])('who asks to wait %d ms is asked again after %d ms', (retryAfterMs, ms) => {
  expect(waitMs(decideRetry(failure('MODEL_RATE_LIMITED', retryAfterMs), 1, policy, 0))).toBe(ms)
})

test('attempts that are lost with their worker do not count: five more than the policy has, each at once', () => {
  const waits = Array.from({ length: 9 }, (_, at) => waitMs(decideRetry(failure('WORKER_LOST', 5000), at + 1, policy, 0.5)))
  expect(waits).toEqual([0, 0, 0, 0, 0, 0, 0, 'stop', 'stop'])
})

test('a run is handed on once when its worker stalled, and not a second time, whatever the policy says', () => {
  const waits = [1, 2, 3].map((times) => waitMs(decideRetry(failure('WORKER_STALLED', 5000), times, { ...policy, attempts: 10 }, 0.5)))
  expect(waits).toEqual([0, 'stop', 'stop'])
})

test('a run that a worker is not fit for is left to others for about an hour, whatever the policy says', () => {
  const waits = Array.from({ length: 18 }, (_, at) => waitMs(decideRetry(failure('WORKER_UNFIT'), at + 1, { ...policy, attempts: 1 }, 0)))
  expect(waits.slice(0, 8)).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  expect(waits.at(-1)).toBe('stop')
  const total = waits.reduce<number>((sum, wait) => sum + (typeof wait === 'number' ? wait : 0), 0)
  expect(total).toBeGreaterThan(3_500_000)
  expect(total).toBeLessThan(4_000_000)
})

test('a server that was connected ten times and still asks for a person is not waited for again', () => {
  const needs = failure('CONNECTION_REQUIRED')
  expect(decideRetry(needs, 9, policy, 0)).toEqual({ verdict: 'wait' })
  expect(decideRetry(needs, 10, policy, 0)).toEqual({ verdict: 'stop' })
})
