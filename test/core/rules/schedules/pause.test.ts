import { expect, test } from 'vitest'
import { aboutPause, ALL_JOBS, describePause, liftOf } from '../../../../src/core/rules/schedules/pause.ts'

const pause = { job: 'stock', pausedBy: 'ana', pausedAt: '2027-01-04T05:00:00.000Z', reason: 'the warehouse moves' }

test('a pause of one job names it, who made it, when, why, and how it is lifted', () => {
  expect(aboutPause(pause)).toBe('stock is paused by ana since 2027-01-04 05:00 UTC: the warehouse moves')
  expect(describePause(pause)).toBe(`${aboutPause(pause)}. Lift it with: nightshift resume stock`)
  expect(liftOf(pause)).toBe('nightshift resume stock')
})

test('a pause of all jobs says that of everything', () => {
  expect(describePause({ ...pause, job: ALL_JOBS })).toBe(
    'everything is paused by ana since 2027-01-04 05:00 UTC: the warehouse moves. Lift it with: nightshift resume --all',
  )
})

test('what others wrote is told in one line, without signs for a terminal', () => {
  const hostile = { job: 'a\nb', pausedBy: 'c\u001B[31md', pausedAt: pause.pausedAt, reason: 'e\r\nf' }
  // oxlint-disable-next-line no-control-regex -- these signs are what is looked for
  expect(describePause(hostile)).not.toMatch(/[\u0000-\u001F]/)
})
