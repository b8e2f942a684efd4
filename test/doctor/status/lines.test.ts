import { expect, test } from 'vitest'
import { linesOf } from '../../../src/doctor/status/lines.ts'
import type { Status, WholeStatus } from '../../../src/doctor/status/status.ts'
import { CALM, WHOLE, minutes, pause } from '../../support/cli/status.ts'

const say = (status: Partial<Status>, whole?: Partial<WholeStatus>) =>
  Object.fromEntries(
    linesOf({ ...CALM, ...status, whole: whole ? { ...WHOLE, ...whole } : null }).map(({ check, message }) => [check, message]),
  )

const ROWS: { what: string; status?: Partial<Status>; whole?: Partial<WholeStatus>; says: Record<string, string> }[] = [
  {
    what: 'nothing is at work',
    says: {
      state: 'nothing is at work; nightshift start begins it',
      workers: 'none',
      scheduler: 'none',
      runs: 'none',
      'last hour': 'no run ended',
    },
  },
  {
    what: 'a drain comes before all else',
    status: { drained: pause('*') },
    says: { state: 'drained: everything is paused by ann since 2026-11-27 22:10 UTC: the data move' },
  },
  {
    what: 'workers: how many, how busy, and each version',
    status: { workers: { ...CALM.workers, atWork: 2, runs: 3, slots: 8, versions: ['0.8.0', '0.9.0'], heardAgoMs: 9000 } },
    says: { state: 'at work', workers: '2 at work, heard of within 9 s, 3 of 8 slots taken, versions 0.8.0 and 0.9.0' },
  },
  {
    what: 'a worker that does not say its slots',
    status: { workers: { ...CALM.workers, atWork: 1, runs: 1, slots: null, versions: ['0.8.0'], heardAgoMs: 2000 } },
    says: { workers: '1 at work, heard of 2 s ago, 1 run under way, version 0.8.0' },
  },
  {
    what: 'a worker that missed its beats, beside none that is at work',
    status: { workers: { ...CALM.workers, silent: 1, silentAgoMs: 25_400 } },
    says: { state: 'nothing is at work; nightshift start begins it', workers: 'none at work; 1 silent, last heard of 25 s ago' },
  },
  {
    what: 'workers that missed their beats, beside one that is at work',
    status: { workers: { atWork: 1, runs: 0, slots: 4, versions: ['0.9.0'], heardAgoMs: 400, silent: 2, silentAgoMs: 65_000 } },
    says: { workers: '1 at work, heard of 0 s ago, 0 of 4 slots taken, version 0.9.0; 2 silent, last heard of 65 s ago' },
  },
  {
    what: 'the last look of the scheduler',
    status: { scheduler: { atWork: 1, lookedAt: minutes(-14) } },
    says: { scheduler: '1 at work, looked 14 min ago' },
  },
  {
    what: 'a scheduler that never looked',
    status: { scheduler: { atWork: 1, lookedAt: null } },
    says: { scheduler: '1 at work, looked never' },
  },
  {
    what: 'each state of a run has words of its own',
    status: {
      runs: [
        { state: 'behind', heldBy: null, runs: 1, oldestS: 61.7, nextAt: null },
        { state: 'due', heldBy: null, runs: 12, oldestS: 840, nextAt: null },
        { state: 'held', heldBy: 'job weekly', runs: 2, oldestS: 7200, nextAt: null },
        { state: 'later', heldBy: null, runs: 3, oldestS: 0, nextAt: minutes(30) },
        { state: 'paused', heldBy: null, runs: 4, oldestS: 90_000, nextAt: null },
        { state: 'running', heldBy: null, runs: 5, oldestS: 12.34, nextAt: null },
        { state: 'waiting', heldBy: null, runs: 6, oldestS: 400_000, nextAt: null },
      ],
    },
    says: {
      runs:
        '1 behind an earlier run, the oldest for 62 s; 12 due, the oldest for 14 min; 2 held by the limit of job weekly, the oldest for 2 h; ' +
        '3 later, the first at 2026-11-28 03:30 UTC; 4 paused, the oldest for 25 h; 5 running, the oldest for 12 s; 6 waiting for a person, the oldest for 5 d',
    },
  },
  {
    what: 'ends of the last hour, with the codes of those that did not succeed',
    status: {
      ended: {
        runs: [
          { status: 'succeeded', code: null, runs: 40 },
          { status: 'failed', code: 'MODEL_AUTH', runs: 4 },
          { status: 'failed', code: 'DEADLINE', runs: 3 },
          { status: 'failed', code: 'TOOL_MISSING', runs: 2 },
          { status: 'failed', code: 'OUTCOME_UNKNOWN', runs: 1 },
          { status: 'incomplete', code: 'NO_TOOL_RESULT', runs: 1 },
        ],
        isCut: false,
      },
    },
    says: {
      'last hour': '40 succeeded; 10 failed (4 MODEL_AUTH, 3 DEADLINE, 2 TOOL_MISSING, 1 codes more); 1 incomplete (1 NO_TOOL_RESULT)',
    },
  },
  {
    what: 'an hour that is too busy to be counted',
    status: { ended: { runs: [{ status: 'succeeded', code: null, runs: 5000 }], isCut: true } },
    says: { 'last hour': '5000 succeeded; of the last 5000 alone' },
  },
  {
    what: 'fires in the zone of their schedule, and how many more there are',
    status: {
      next: [
        { job: 'daily', at: minutes(52), timezone: 'Europe/Zurich', paused: false },
        { job: 'weekly', at: minutes(1500), timezone: 'UTC', paused: true },
        { job: 'c', at: minutes(9000), timezone: 'UTC', paused: false },
        { job: 'd', at: minutes(9001), timezone: 'UTC', paused: false },
      ],
    },
    says: {
      'next fires':
        'daily in 52 min (2026-11-28 04:52 Europe/Zurich); weekly in 25 h (2026-11-29 04:00 UTC), paused; c in 6 d (2026-12-04 09:00 UTC); and 1 more',
    },
  },
  {
    what: 'reports that could not be delivered, by place, and what is in them cannot move the cursor',
    whole: {
      reports: { pending: 3, due: 1, oldestS: 4000, failing: [{ place: 'webhook ops', reports: 2, error: 'HTTP 503 \u001b[2J' }] },
      suspects: [
        { accountId: 'sa-1', account: 'reports', since: minutes(-5), events: 1, acknowledgedAt: null, acknowledgedBy: null, reason: null },
      ],
      duties: [
        { duty: 'heartbeat', processes: 1, succeededAt: minutes(0), fault: null },
        { duty: 'outbox', processes: 1, succeededAt: minutes(-20), fault: 'late' },
      ],
    },
    says: {
      reports: '3 to send, 1 due, the oldest for 67 min; could not be delivered yet: 2 for webhook ops (HTTP 503 \\u001b[2J)',
      suspects: 'reports (1 line of Pomerium’s log)',
      duties: '1 of 2 are not done: outbox is late',
    },
  },
]

const PROCESS = {
  name: 'a:1',
  role: 'all',
  version: '1',
  slots: 4,
  startedAt: minutes(-9),
  seenAt: minutes(0),
  heardAgoMs: 0,
  alive: true,
  skewMs: 0,
  runs: 0,
}
const running = (digest: string, alive = true) => ({ ...PROCESS, alive, config: { digest, waiting: [], fault: undefined } })

test.each([
  [
    'is that of the file here',
    [running('a1'), running('a1'), running('b2', false), { ...PROCESS, config: null }],
    'a1 is in force, as the file here',
  ],
  ['is an earlier one', [running('b2')], 'b2 is in force in 1 process; the file here is a1'],
  [
    'differs',
    [running('a1'), running('b2'), running('b2')],
    'a1 is in force in 1 process; b2 is in force in 2 processes; the file here is a1',
  ],
  ['is not known', [{ ...PROCESS, config: null }], 'none is in force'],
])('the configuration that is in force %s', (_, processes, config) => {
  expect(say({}, { processes, configDigest: 'a1' })).toMatchObject({ config })
})

test.each(ROWS)('$what', ({ status = {}, whole, says }) => {
  expect(say(status, whole)).toMatchObject(says)
})

test('whoever sees some jobs alone is not told of duties, reports and suspects', () => {
  expect(Object.keys(say({}))).toEqual(['state', 'workers', 'scheduler', 'runs', 'last hour', 'next fires'])
  expect(Object.keys(say({}, {}))).toEqual([
    'state',
    'workers',
    'scheduler',
    'runs',
    'last hour',
    'next fires',
    'config',
    'duties',
    'reports',
    'suspects',
  ])
})

test('of many pauses ten are named, each with how it is lifted', () => {
  const lines = linesOf({ ...CALM, pauses: Array.from({ length: 12 }, (_, i) => pause(`job-${i}`)) }).filter(
    ({ check }) => check === 'paused',
  )
  expect(lines).toHaveLength(11)
  expect(lines[0]).toEqual({
    check: 'paused',
    status: 'warning',
    message: 'job-0 is paused by ann since 2026-11-27 22:10 UTC: the data move',
    cure: 'nightshift resume job-0',
  })
  expect(lines[10]?.message).toBe('and 2 more')
})
