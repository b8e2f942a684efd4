import { expect, test } from 'vitest'
import { dutyFault } from '../../src/core/duties.ts'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000

test.each([
  ['just started', { everyMs: SECOND, startedAgoMs: 0 }, undefined],
  ['ended well a moment ago', { everyMs: SECOND, startedAgoMs: HOUR, succeededAgoMs: SECOND }, undefined],
  ['failed before it ended well', { everyMs: HOUR, startedAgoMs: HOUR, failedAgoMs: 2 * MINUTE, succeededAgoMs: MINUTE }, undefined],
  [
    'failed once and tries again in a second',
    { everyMs: SECOND, startedAgoMs: HOUR, succeededAgoMs: 2 * SECOND, failedAgoMs: SECOND },
    undefined,
  ],
  ['has failed for a minute', { everyMs: SECOND, startedAgoMs: HOUR, succeededAgoMs: MINUTE, failedAgoMs: SECOND }, 'failing'],
  ['never ended well and has just begun', { everyMs: SECOND, startedAgoMs: MINUTE - 1, failedAgoMs: SECOND }, undefined],
  ['never ended well, for a minute', { everyMs: SECOND, startedAgoMs: MINUTE, failedAgoMs: SECOND }, 'failing'],
  [
    'failed once and tries again in an hour',
    { everyMs: HOUR, startedAgoMs: HOUR, succeededAgoMs: 2 * SECOND, failedAgoMs: SECOND },
    'failing',
  ],
  ['failed at its start and tries again in a minute', { everyMs: MINUTE, startedAgoMs: SECOND, failedAgoMs: SECOND }, 'failing'],
  ['takes ten minutes', { everyMs: SECOND, startedAgoMs: HOUR, succeededAgoMs: 10 * MINUTE + 2 * SECOND }, undefined],
  ['takes longer', { everyMs: SECOND, startedAgoMs: HOUR, succeededAgoMs: 10 * MINUTE + 2 * SECOND + 1 }, 'late'],
  ['hangs since its start', { everyMs: SECOND, startedAgoMs: HOUR }, 'late'],
  ['hangs after a failure', { everyMs: SECOND, startedAgoMs: 3 * HOUR, succeededAgoMs: 2 * HOUR, failedAgoMs: HOUR }, 'late'],
  ['comes each hour, and two have passed', { everyMs: HOUR, startedAgoMs: 9 * HOUR, succeededAgoMs: 2 * HOUR + 10 * MINUTE }, undefined],
  ['comes each hour, and more have passed', { everyMs: HOUR, startedAgoMs: 9 * HOUR, succeededAgoMs: 2 * HOUR + 11 * MINUTE }, 'late'],
] as const)('a duty that %s: %o is %s', (_, ages, fault) => {
  expect(dutyFault({ succeededAgoMs: undefined, failedAgoMs: undefined, ...ages })).toBe(fault)
})
