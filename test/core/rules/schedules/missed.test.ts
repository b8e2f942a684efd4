import { expect, test } from 'vitest'
import {
  decideFires,
  MISSED_AFTER_MS,
  MISSED_CAP,
  MISSED_POLICIES,
  occasionOf,
  type MissedPolicy,
} from '../../../../src/core/rules/schedules/missed.ts'

const now = new Date('2026-03-02T12:00:00Z')
const ago = (ms: number) => new Date(now.getTime() - ms)
const HOUR_MS = 3_600_000

const verdicts = (due: readonly Date[], missed: MissedPolicy) => decideFires({ fires: due }, { now, missed }).map(({ verdict }) => verdict)

test.each(MISSED_POLICIES)('nothing due is nothing to decide (missed: %s)', (missed) => {
  expect(decideFires({ fires: [] }, { now, missed })).toEqual([])
})

test.each(MISSED_POLICIES)('a fire found up to a minute late runs (missed: %s)', (missed) => {
  expect(verdicts([ago(MISSED_AFTER_MS), ago(0), ago(-1)], missed)).toEqual(['run', 'run', 'run'])
})

test.each([
  ['skip', [3, 2, 1], ['skip', 'skip', 'skip']],
  ['skip', [2, 1, 0], ['skip', 'skip', 'run']],
  ['last', [3, 2, 1], ['skip', 'skip', 'run']],
  ['last', [2, 1, 0], ['skip', 'skip', 'run']],
  ['last', [1], ['run']],
  ['all', [3, 2, 1], ['run', 'run', 'run']],
  ['all', [2, 1, 0], ['run', 'run', 'run']],
] as const)('missed: %s decides fires %j hours ago as %j', (missed, hours, expected) => {
  expect(
    verdicts(
      hours.map((hour) => ago(hour * HOUR_MS)),
      missed,
    ),
  ).toEqual(expected)
})

test('a millisecond over the minute counts as missed', () => {
  expect(verdicts([ago(MISSED_AFTER_MS + 1)], 'skip')).toEqual(['skip'])
})

test('missed: all makes up for the newest hundred, and the others say why not', () => {
  const due = Array.from({ length: MISSED_CAP + 3 }, (_, at) => ago((MISSED_CAP + 3 - at) * HOUR_MS))
  const decisions = decideFires({ fires: [...due, now] }, { now, missed: 'all' })
  expect(decisions.map(({ at }) => at)).toEqual([...due, now])
  expect(decisions.map(({ verdict }) => verdict)).toEqual(['skip', 'skip', 'skip', ...Array<string>(MISSED_CAP + 1).fill('run')])
  expect(decisions[0]).toMatchInlineSnapshot(`
    {
      "at": 2026-02-26T05:00:00.000Z,
      "reason": "missed while no scheduler was running; more than 100 fires were missed (missed: all)",
      "verdict": "skip",
    }
  `)
})

test('each skipped fire names the policy that skipped it', () => {
  const reasons = (missed: MissedPolicy) => decideFires({ fires: [ago(2 * HOUR_MS), now] }, { now, missed })[0]
  expect([reasons('skip'), reasons('last')]).toMatchInlineSnapshot(`
    [
      {
        "at": 2026-03-02T10:00:00.000Z,
        "reason": "missed while no scheduler was running (missed: skip)",
        "verdict": "skip",
      },
      {
        "at": 2026-03-02T10:00:00.000Z,
        "reason": "missed while no scheduler was running; a later fire runs instead (missed: last)",
        "verdict": "skip",
      },
    ]
  `)
})

test.each(MISSED_POLICIES)('while a job is paused each of its fires is skipped, and says who paused it and why (missed: %s)', (missed) => {
  const paused = { by: 'ann', reason: 'the books are closed' }
  const reason = 'paused by ann: the books are closed'
  expect(decideFires({ fires: [ago(HOUR_MS), now] }, { now, missed, paused })).toEqual([
    { at: ago(HOUR_MS), verdict: 'skip', reason },
    { at: now, verdict: 'skip', reason },
  ])
})

test.each([
  ['skip', [2, 0], [undefined, false]],
  ['last', [2], [false]],
  ['all', [2, 1, 0], [true, true, false]],
] as const)('missed: %s: of fires %j hours ago, those that run are made up for: %j', (missed, hours, expected) => {
  const decisions = decideFires({ fires: hours.map((hour) => ago(hour * HOUR_MS)) }, { now, missed })
  expect(decisions.map((decision) => (decision.verdict === 'run' ? decision.madeUp : undefined))).toEqual(expected)
})

test('a job that cannot run by itself skips all its fires with the reason; a pause says why before that', () => {
  const fires = [ago(HOUR_MS), now]
  const unfit = 'the job cannot run by itself: without an input region is missing'
  expect(decideFires({ fires }, { now, missed: 'all', unfit })).toEqual(fires.map((at) => ({ at, verdict: 'skip', reason: unfit })))
  expect(decideFires({ fires }, { now, missed: 'all', unfit, paused: { by: 'ann', reason: 'why' } })[0]).toMatchObject({
    reason: 'paused by ann: why',
  })
})

test.each([
  [{ count: 7, more: false }, 'missed while no scheduler was running; so were 6 later fires, which have no row of their own'],
  [{ count: 1000, more: true }, 'missed while no scheduler was running; so were more than 999 later fires, which have no row of their own'],
])('older fires are told in one decision, at the first of them: %o', (counted, reason) => {
  const first = ago(9 * HOUR_MS)
  const decisions = decideFires({ fires: [ago(HOUR_MS), now], older: { first, ...counted } }, { now, missed: 'last' })
  expect(decisions).toHaveLength(3)
  expect(decisions[0]).toEqual({ at: first, verdict: 'skip', reason })
})

test.each([
  ['a fire on time', { trigger: { kind: 'schedule', fireAt: ago(MISSED_AFTER_MS).toISOString() } }, 'schedule'],
  ['a fire that was found late', { trigger: { kind: 'schedule', fireAt: ago(MISSED_AFTER_MS + 1).toISOString() } }, 'missed'],
  ['a fire of a backfill', { trigger: { kind: 'schedule', fireAt: ago(HOUR_MS).toISOString(), backfill: true } }, 'backfill'],
  ['a call of the API', { trigger: { kind: 'api' } }, 'manual'],
  ['a command', { trigger: { kind: 'cli' } }, 'manual'],
  ['a fire that an operator retries', { trigger: { kind: 'schedule', fireAt: now.toISOString() }, conversation: 2 }, 'retry'],
] as const)('a run comes from %s: %j is %s', (_, asked, occasion) => {
  expect(occasionOf({ createdAt: now, conversation: 1, ...asked })).toBe(occasion)
})
