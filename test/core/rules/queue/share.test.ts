import { expect, test } from 'vitest'
import { fullQueue, shareOf, type Queued } from '../../../../src/core/rules/queue/share.ts'

const limits = { maxQueued: 10, maxAhead: 20, sharePercent: 50 }
const few: Queued = { all: 1, ofCaller: 1, ofJob: 1, ofBoth: 1 }
const all = (n: number): Queued => ({ all: n, ofCaller: 0, ofJob: 0, ofBoth: 0 })
const caller = (n: number): Queued => ({ all: n, ofCaller: n, ofJob: 0, ofBoth: 0 })
const job = (n: number): Queued => ({ all: n, ofCaller: 0, ofJob: n, ofBoth: 0 })
const both = (n: number): Queued => ({ all: n, ofCaller: n, ofJob: n, ofBoth: n })

test.each<[string, boolean, Queued, Queued, ReturnType<typeof fullQueue>]>([
  ['few runs', false, few, few, undefined],
  ['one less than may be due', false, all(9), few, undefined],
  ['as many as may be due', false, all(10), few, { of: 'all', sort: 'due', runs: 10 }],
  ['as many due, for one that is for later', true, all(10), few, undefined],
  ['one less than a caller’s share', false, caller(4), few, undefined],
  ['a caller’s share', false, caller(5), few, { of: 'caller', sort: 'due', runs: 5 }],
  ['a job’s share', false, job(5), few, { of: 'job', sort: 'due', runs: 5 }],
  ['a caller’s share of what is due, for one that is for later', true, caller(5), few, undefined],
  ['as many as may lie ahead, for one that is due', false, few, all(20), undefined],
  ['as many as may lie ahead', true, few, all(20), { of: 'all', sort: 'ahead', runs: 20 }],
  ['a caller’s share ahead', true, few, caller(10), { of: 'caller', sort: 'ahead', runs: 10 }],
  ['a job’s share ahead', true, few, job(10), { of: 'job', sort: 'ahead', runs: 10 }],
  ['a caller’s share ahead for another job, for one that is due', false, few, caller(10), undefined],
  ['all ahead of one caller, for one that is due', false, few, caller(20), { of: 'caller', sort: 'ahead', runs: 20 }],
  ['a job’s share ahead of other callers, for one that is due', false, few, job(10), undefined],
  ['a caller’s share ahead for that job, as a pause makes it', false, few, both(10), { of: 'caller', sort: 'ahead', runs: 10 }],
])('%s', (_, isLater, due, ahead, full) => {
  expect(fullQueue(isLater, due, ahead, limits)).toEqual(full)
})

test('a share is one run at least, and all of it with 100 percent', () => {
  expect([shareOf(10, limits), shareOf(1, limits), shareOf(3, { ...limits, sharePercent: 100 })]).toEqual([5, 1, 3])
})
