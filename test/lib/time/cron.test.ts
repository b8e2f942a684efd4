import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { nextFire, nextFires, previousFire, type CronSchedule } from '../../../src/lib/time/cron.ts'
import { dueFires } from '../../../src/schedules/due.ts'
import { wallFires, wallMinutes, type Fields } from '../../support/app/wall-clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1)

const firesIn = (schedule: CronSchedule, after: Date, until: Date) => nextFires(schedule, after, Number.POSITIVE_INFINITY, until)

const iso = (fires: readonly Date[]) => fires.map((at) => at.toISOString().slice(0, 16))

/** Fires of the day that begins at `from`, in UTC. */
const firesFrom = (cron: string, timezone: string, from: string, hours = 24) =>
  iso(firesIn({ cron, timezone }, new Date(Date.parse(from) - 1), new Date(Date.parse(from) + hours * HOUR_MS - 1)))

describe('a time that the clock jumps over fires as much later as the jump is long', () => {
  test.each([
    ['Europe/Paris', '30 2 * * *', '2026-03-28T23:00Z', ['2026-03-29T01:30']],
    ['Europe/Paris', '0 2,3 * * *', '2026-03-28T23:00Z', ['2026-03-29T01:00']],
    ['America/New_York', '30 2 * * *', '2026-03-08T05:00Z', ['2026-03-08T07:30']],
    ['America/New_York', '*/30 2 * * *', '2026-03-08T05:00Z', ['2026-03-08T07:00', '2026-03-08T07:30']],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T13:30Z', ['2026-10-03T15:45']],
    ['Australia/Lord_Howe', '0 2 * * *', '2026-10-03T13:30Z', ['2026-10-03T15:30']],
    ['Australia/Lord_Howe', '45 2 * * *', '2026-10-03T13:30Z', ['2026-10-03T15:45']],
    ['UTC', '30 2 * * *', '2026-03-29T00:00Z', ['2026-03-29T02:30']],
  ])('%s, %s', (timezone, cron, from, expected) => {
    expect(firesFrom(cron, timezone, from)).toEqual(expected)
  })
})

describe('a time that the clock shows twice fires once, the first time', () => {
  test.each([
    ['Europe/Paris', '30 2 * * *', '2026-10-24T22:00Z', ['2026-10-25T00:30']],
    ['America/New_York', '30 1 * * *', '2026-11-01T04:00Z', ['2026-11-01T05:30']],
    ['America/New_York', '0 1-3 * * *', '2026-11-01T04:00Z', ['2026-11-01T05:00', '2026-11-01T07:00', '2026-11-01T08:00']],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T13:00Z', ['2026-04-04T14:45']],
    ['Australia/Lord_Howe', '0 2 * * *', '2026-04-04T13:00Z', ['2026-04-04T15:30']],
    ['UTC', '30 1 * * *', '2026-10-25T00:00Z', ['2026-10-25T01:30']],
  ])('%s, %s', (timezone, cron, from, expected) => {
    expect(firesFrom(cron, timezone, from)).toEqual(expected)
  })
})

test.each([
  ['Europe/Paris', '2026-03-28T23:00Z', 23, 23],
  ['Europe/Paris', '2026-10-24T22:00Z', 25, 25],
  ['America/New_York', '2026-03-08T05:00Z', 23, 23],
  ['America/New_York', '2026-11-01T04:00Z', 25, 25],
  // The half hour that is gone held a full hour of the clock, which fires half an hour later; the one that comes back holds none.
  ['Australia/Lord_Howe', '2026-10-03T13:30Z', 23.5, 24],
  ['Australia/Lord_Howe', '2026-04-04T13:00Z', 24.5, 24],
  ['UTC', '2026-03-29T00:00Z', 24, 24],
])('an hourly schedule in %s misses no hour of the day that begins %s', (timezone, from, hours, expected) => {
  expect(firesFrom('0 * * * *', timezone, from, hours)).toHaveLength(expected)
})

test.each([
  ['Europe/Paris', '2026-03-29T01:00Z'],
  ['Europe/Paris', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['UTC', '2026-06-30T12:00Z'],
])('a minutely schedule in %s fires in each minute of the day around %s, once', (timezone, change) => {
  const after = Date.parse(change) - DAY_MS / 2
  const fires = firesIn({ cron: '* * * * *', timezone }, new Date(after), new Date(after + DAY_MS))
  expect(fires.map((at) => at.getTime())).toEqual(Array.from({ length: 1440 }, (_, i) => after + (i + 1) * 60_000))
})

test.each([
  ['0 7 * * 1', 'Europe/Zurich', 52],
  ['0 7 1 * *', 'America/New_York', 12],
  ['0 0 1 1 *', 'Australia/Lord_Howe', 1],
  ['0 0 29 2 *', 'UTC', 0],
])('%s in %s fires %s', (cron, timezone, perYear) => {
  expect(firesIn({ cron, timezone }, new Date('2026-01-02T00:00Z'), new Date('2027-01-02T00:00Z'))).toHaveLength(perYear)
})

test('a fire belongs to the time up to it, and to no later time', () => {
  const schedule = { cron: '0 12 * * *', timezone: 'UTC' }
  const noon = new Date('2026-05-01T12:00Z')
  const justBefore = new Date(noon.getTime() - 1)
  expect(firesIn(schedule, justBefore, noon)).toEqual([noon])
  expect(firesIn(schedule, noon, new Date(noon.getTime() + HOUR_MS))).toEqual([])
  expect(firesIn(schedule, new Date(noon.getTime() - HOUR_MS), justBefore)).toEqual([])
  expect(nextFire(schedule, justBefore)).toEqual(noon)
  expect(nextFire(schedule, noon)).toEqual(new Date('2026-05-02T12:00Z'))
})

test('after a long pause the latest fires are due, and the older ones are counted up to a thousand', () => {
  const after = new Date('2026-05-01T12:00Z')
  const until = new Date('2026-05-03T12:00Z')
  const secondly = { cron: '* * * * * *', timezone: 'UTC' }
  const due = dueFires(secondly, after, until)
  expect(due.fires.at(-1)).toEqual(until)
  expect(due.fires).toHaveLength(200)
  expect(due.older).toEqual({ first: new Date('2026-05-01T12:00:01Z'), count: 1000, more: true })
  expect(dueFires(secondly, new Date(until.getTime() - 250_000), until)).toMatchObject({ older: { count: 50, more: false } })
  expect(dueFires(secondly, new Date(until.getTime() - 199_000), until).older).toBeUndefined()
})

test('what is due is the end of all that fires, however long ago the last look was', () => {
  const times = fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 6000 }))
  const crons = fc.constantFrom('* * * * *', '*/7 * * * *', '30 2 * * *', '0 * * * *', '15 1,2,3 * * *', '0 7 * * 1')
  const zones = fc.constantFrom('UTC', 'Europe/Paris', 'Australia/Lord_Howe', 'Antarctica/Troll', 'America/Santiago', 'Pacific/Apia')
  fc.assert(
    fc.property(times, crons, zones, ([begin, minutes], cron, timezone) => {
      const after = new Date(Date.parse('2026-03-20T00:00:30Z') + begin * 60_000)
      const until = new Date(after.getTime() + minutes * 60_000)
      const all = firesIn({ cron, timezone }, after, until)
      const { fires, older } = dueFires({ cron, timezone }, after, until)
      expect(fires).toEqual(all.slice(-200))
      expect(older?.first).toEqual(all.length > 200 ? all[0] : undefined)
      expect(older?.count ?? 0).toBe(Math.min(1000, Math.max(0, all.length - 200)))
    }),
    { numRuns: 40 },
  )
})

test('the fire before is found where very many stand together, long before', () => {
  const until = new Date('2026-12-05T00:00Z')
  expect(previousFire({ cron: '* * * * 1 *', timezone: 'Europe/Zurich' }, until)).toEqual(new Date('2026-01-31T22:59:59Z'))
  expect(dueFires({ cron: '* * * * 1 *', timezone: 'UTC' }, new Date('2025-06-01T00:00Z'), until)).toMatchObject({
    fires: { length: 200, 199: new Date('2026-01-31T23:59:59Z') },
    older: { first: new Date('2026-01-01T00:00Z'), more: true },
  })
})

type Field = { text: string; values: Set<number> }

/** One cron field as text, and the values it stands for. */
function field(min: number, max: number, { steps = true } = {}): fc.Arbitrary<Field> {
  const all = Array.from({ length: max - min + 1 }, (_, i) => min + i)
  const any = fc.constant<Field>({ text: '*', values: new Set(all) })
  const list = fc
    .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
    .map((some): Field => ({ text: some.join(','), values: new Set(some) }))
  const range = fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map((ends) => ends.toSorted((a, b) => a - b))
    .map(([from = min, to = max]): Field => ({ text: `${from}-${to}`, values: new Set(all.filter((n) => n >= from && n <= to)) }))
  const step = fc
    .integer({ min: 2, max: 7 })
    .map((every): Field => ({ text: `*/${every}`, values: new Set(all.filter((n) => (n - min) % every === 0)) }))
  return fc.oneof(any, list, range, ...(steps ? [step] : []))
}

const schedules = fc
  .tuple(
    field(0, 59),
    field(0, 23),
    field(1, 28, { steps: false }),
    fc.oneof(field(1, 12), fc.constant<Field>({ text: '*', values: new Set(MONTHS) })),
    field(0, 6, { steps: false }),
  )
  .map(([minute, hour, day, month, weekday]): { cron: string; fields: Fields } => ({
    cron: [minute, hour, day, month, weekday].map(({ text }) => text).join(' '),
    fields: {
      minute: minute.values,
      hour: hour.values,
      day: day.values,
      month: month.values,
      weekday: weekday.values,
      anyDay: day.text === '*',
      anyWeekday: weekday.text === '*',
    },
  }))

test.each([
  ['Europe/Paris', '2026-03-29'],
  ['Europe/Paris', '2026-10-25'],
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Antarctica/Troll', '2026-03-29'],
  ['America/Havana', '2026-11-01'],
  ['Asia/Kathmandu', '2026-01-01'],
  ['UTC', '2026-02-28'],
])('in %s around %s, any schedule fires as a walk over the wall clock says', (timezone, date) => {
  const after = new Date(Date.parse(date) - DAY_MS)
  const until = new Date(Date.parse(date) + DAY_MS)
  const minutes = wallMinutes(timezone, after, until)
  fc.assert(
    fc.property(schedules, ({ cron, fields }) => {
      expect(iso(firesIn({ cron, timezone }, after, until))).toEqual(iso(wallFires(fields, minutes)))
    }),
    { numRuns: 60 },
  )
})

test.each([
  ['0 7 * * 1', 'Europe/Zurich', '2026-11-23T06:00Z', '2026-11-16T06:00'],
  ['0 7 * * 1', 'Europe/Zurich', '2026-11-23T06:01Z', '2026-11-23T06:00'],
  ['* * * * *', 'UTC', '2026-11-23T06:00Z', '2026-11-23T05:59'],
  ['30 2 * * *', 'Europe/Zurich', '2026-03-30T00:30Z', '2026-03-29T01:30'],
  ['0 0 29 2 *', 'UTC', '2027-01-01T00:00Z', '2024-02-29T00:00'],
])('the fire of %s in %s before %s is %s', (cron, timezone, before, fire) => {
  expect(previousFire({ cron, timezone }, new Date(before))?.toISOString().slice(0, 16)).toBe(fire)
})
