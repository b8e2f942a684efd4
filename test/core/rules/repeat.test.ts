import { describe, expect, test } from 'vitest'
import {
  decideHostedError,
  decideReplay,
  decideUnknown,
  mayAskAgain,
  mayHaveActed,
  provesNotRun,
  type HostedStanding,
} from '../../../src/core/rules/repeat.ts'
import type { ToolCallStatus } from '../../../src/core/run.ts'

test.each([
  [true, 'stop', 'try-later'],
  [true, 'tell-model', 'try-later'],
  [false, 'stop', 'stop'],
  [false, 'tell-model', 'tell-model'],
] as const)('live: a call without an answer (repeatable: %s, onUnknown: %s) means %s', (repeatable, onUnknown, expected) => {
  expect(decideUnknown(repeatable, onUnknown)).toBe(expected)
})

/** By status: what follows for a repeatable call, and for any other, with onUnknown stop and tell-model. */
const AFTER_CRASH: Record<ToolCallStatus, [repeatable: string, stop: string, tell: string]> = {
  ok: ['keep', 'keep', 'keep'],
  error: ['keep', 'keep', 'keep'],
  denied: ['keep', 'keep', 'keep'],
  refused: ['keep', 'keep', 'keep'],
  not_run: ['call', 'call', 'call'],
  sent: ['call', 'stop', 'tell-model'],
  unknown: ['call', 'stop', 'tell-model'],
}

const STATUSES = ['ok', 'error', 'denied', 'refused', 'not_run', 'sent', 'unknown'] as const

test.each(STATUSES)('after a crash: a call that was %s', (status) => {
  const expected = AFTER_CRASH[status]
  expect([decideReplay(status, true, 'stop'), decideReplay(status, false, 'stop'), decideReplay(status, false, 'tell-model')]).toEqual(
    expected,
  )
  expect(decideReplay(status, true, 'tell-model')).toBe(expected[0])
})

describe('hosted', () => {
  test('a provider is asked again only when each tool it was given may run twice', () => {
    const all = { tools: ['look', 'list'], repeatable: ['look', 'list', 'act'] }
    expect(mayAskAgain([])).toBe(true)
    expect(mayAskAgain([all])).toBe(true)
    expect(mayAskAgain([all, { tools: ['act'], repeatable: [] }])).toBe(false)
    expect(mayAskAgain([{ tools: ['look', 'act'], repeatable: ['look'] }])).toBe(false)
  })

  test('a call may have acted unless it may run twice, was denied or was provably not run', () => {
    const acted = STATUSES.filter((status) => mayHaveActed({ status, repeatable: false }))
    expect(acted).toEqual(['ok', 'error', 'refused', 'sent', 'unknown'])
    expect(STATUSES.some((status) => mayHaveActed({ status, repeatable: true }))).toBe(false)
  })

  test('only some HTTP statuses prove that a request was not taken', () => {
    const proof = Array.from({ length: 600 }, (_, status) => status).filter(provesNotRun)
    expect(proof).toEqual([400, 401, 403, 404, 405, 413, 429])
  })

  const at: HostedStanding = { isOver: false, canAttach: false, acted: false, mayAskAgain: false, canHeal: true }
  test.each<[string, Partial<HostedStanding>, string]>([
    ['is over and did nothing', { isOver: true }, 'fail'],
    ['is over and acted', { isOver: true, acted: true }, 'fail-for-good'],
    ['is over, acted, and will not heal', { isOver: true, acted: true, canHeal: false }, 'fail'],
    ['goes on at the provider', { canAttach: true, acted: true }, 'leave-open'],
    ['will not heal', { canHeal: false }, 'leave-open'],
    ['is lost with tools that may run twice', { mayAskAgain: true }, 'fail'],
    ['is lost with tools that may run twice, and called another', { mayAskAgain: true, acted: true }, 'unknown'],
    ['is lost with other tools', { acted: true }, 'unknown'],
    ['is lost before any call was seen, with other tools', {}, 'unknown'],
  ])('an answer that %s: %s', (_, part, verdict) => {
    expect(decideHostedError({ ...at, ...part })).toBe(verdict)
  })
})
