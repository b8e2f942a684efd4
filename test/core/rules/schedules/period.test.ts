import { expect, test } from 'vitest'
import { periodOf, type PeriodKind } from '../../../../src/core/rules/schedules/period.ts'

const show = (period: { from: Date; to: Date } | undefined) =>
  period && [period.from.toISOString().slice(0, 16), period.to.toISOString().slice(0, 16)]

test.each<[PeriodKind, string, string, string, string]>([
  // In UTC it is still February, so a period in UTC would be January.
  ['month', 'Europe/Zurich', '2010-02-28T23:30Z', '2010-01-31T23:00', '2010-02-28T23:00'],
  ['month', 'UTC', '2010-03-31T12:00Z', '2010-02-01T00:00', '2010-03-01T00:00'],
  ['month', 'America/New_York', '2026-01-01T05:00Z', '2025-12-01T05:00', '2026-01-01T05:00'],
  ['month', 'Europe/Zurich', '2026-04-01T05:00Z', '2026-02-28T23:00', '2026-03-31T22:00'],
  ['day', 'Europe/Zurich', '2026-03-29T22:30Z', '2026-03-28T23:00', '2026-03-29T22:00'],
  ['day', 'Europe/Zurich', '2026-10-26T06:00Z', '2026-10-24T22:00', '2026-10-25T23:00'],
  ['day', 'Asia/Tokyo', '2026-01-01T15:30Z', '2025-12-31T15:00', '2026-01-01T15:00'],
  // Midnight is skipped there on that day.
  ['day', 'America/Havana', '2026-03-09T12:00Z', '2026-03-08T05:00', '2026-03-09T04:00'],
  ['week', 'Europe/Zurich', '2026-11-23T06:00Z', '2026-11-15T23:00', '2026-11-22T23:00'],
  ['week', 'Europe/Zurich', '2026-11-22T06:00Z', '2026-11-08T23:00', '2026-11-15T23:00'],
  ['week', 'Europe/Zurich', '2026-03-30T05:00Z', '2026-03-22T23:00', '2026-03-29T22:00'],
])('the %s before, in %s at %s, is from %s to %s', (kind, timezone, fireTime, from, to) => {
  expect(show(periodOf(kind, { fireTime: new Date(fireTime), timezone, since: undefined }))).toEqual([from, to])
})

test('since the latest green run: from its fire to this one; not known when there was none', () => {
  const facts = { fireTime: new Date('2026-11-23T06:00Z'), timezone: 'UTC' }
  expect(show(periodOf('since-last-green', { ...facts, since: new Date('2026-11-09T06:00Z') }))).toEqual([
    '2026-11-09T06:00',
    '2026-11-23T06:00',
  ])
  expect(periodOf('since-last-green', { ...facts, since: undefined })).toBeUndefined()
})
