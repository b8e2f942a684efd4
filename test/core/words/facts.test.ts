import { expect, test } from 'vitest'
import { factsText, type RunFacts } from '../../../src/core/words/facts.ts'

// The line of facts, word for word: a change of it is a change of what models are told.

const facts: RunFacts = {
  job: 'labor-report',
  occasion: 'schedule',
  fireAt: new Date('2026-11-23T06:00:00Z'),
  previousFire: new Date('2026-11-16T06:00:00Z'),
  period: { from: new Date('2026-11-15T23:00:00Z'), to: new Date('2026-11-22T23:00:00Z') },
  now: new Date('2026-11-23T08:12:30Z'),
  timezone: 'Europe/Zurich',
  turns: 12,
  toolCalls: 30,
  deadline: '10m',
}

test('the facts of a run: what it comes from, its fire and the one before, its period, the time, the zone, its limits', () => {
  expect(factsText(facts)).toBe(
    `Job labor-report, a scheduled fire. Fire: Monday 2026-11-23 07:00 Europe/Zurich (week 48). The fire before: Monday 2026-11-16 07:00 Europe/Zurich (week 47). Period: from Monday 2026-11-16 00:00 Europe/Zurich (week 47) until Monday 2026-11-23 00:00 Europe/Zurich (week 48). Now: Monday 2026-11-23 09:12 Europe/Zurich (week 48).
You may answer 12 times and call tools 30 times, within 10m.`,
  )
})

test.each([
  ['schedule', 'Job labor-report, a scheduled fire. '],
  ['missed', 'Job labor-report, a missed fire that is made up for. '],
  ['backfill', 'Job labor-report, a past fire that is made up for by hand. '],
  ['manual', 'Job labor-report, asked for by hand or by another program. '],
  ['retry', 'Job labor-report, a retry of a run that did not succeed. '],
] as const)('a run that is %s says so', (occasion, begins) => {
  expect(factsText({ ...facts, occasion }).startsWith(begins)).toBe(true)
})

test('what a run does not have is left out', () => {
  expect(factsText({ ...facts, occasion: 'manual', fireAt: undefined, previousFire: undefined, period: undefined })).toBe(
    `Job labor-report, asked for by hand or by another program. Now: Monday 2026-11-23 09:12 Europe/Zurich (week 48).
You may answer 12 times and call tools 30 times, within 10m.`,
  )
})

test.each([
  // ISO weeks: the first days of a year may belong to the last week of the year before, and the last ones to the first of the next.
  ['2027-01-01T11:00:00Z', 'Europe/Zurich', 'Friday 2027-01-01 12:00 Europe/Zurich (week 53 of 2026)'],
  ['2024-12-30T11:00:00Z', 'Europe/Zurich', 'Monday 2024-12-30 12:00 Europe/Zurich (week 1 of 2025)'],
  ['2026-12-31T23:30:00Z', 'Europe/Zurich', 'Friday 2027-01-01 00:30 Europe/Zurich (week 53 of 2026)'],
  ['2026-12-31T23:30:00Z', 'America/New_York', 'Thursday 2026-12-31 18:30 America/New_York (week 53)'],
  // Around the changes of the clock: an hour that is there twice says which one it is.
  ['2026-03-29T00:59:00Z', 'Europe/Zurich', 'Sunday 2026-03-29 01:59 Europe/Zurich (week 13)'],
  ['2026-03-29T01:00:00Z', 'Europe/Zurich', 'Sunday 2026-03-29 03:00 Europe/Zurich (week 13)'],
  ['2026-10-25T00:30:00Z', 'Europe/Zurich', 'Sunday 2026-10-25 02:30+02:00 Europe/Zurich (week 43)'],
  ['2026-10-25T01:30:00Z', 'Europe/Zurich', 'Sunday 2026-10-25 02:30+01:00 Europe/Zurich (week 43)'],
  ['2026-10-25T02:00:00Z', 'Europe/Zurich', 'Sunday 2026-10-25 03:00 Europe/Zurich (week 43)'],
  ['2026-04-04T15:15:00Z', 'Australia/Lord_Howe', 'Sunday 2026-04-05 01:45+10:30 Australia/Lord_Howe (week 14)'],
  ['2026-11-23T06:00:00Z', 'Asia/Kathmandu', 'Monday 2026-11-23 11:45 Asia/Kathmandu (week 48)'],
])('%s is told in %s as %s', (now, timezone, told) => {
  expect(factsText({ ...facts, now: new Date(now), timezone })).toContain(`Now: ${told}.`)
})
