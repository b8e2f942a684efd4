// @ts-nocheck
import { expect, inject, test } from 'vitest'
import { describeBackends } from '../support/app/backends.ts'
import { runRow } from './row.ts'
import { faultTable } from './table.ts'

/** Here each row is played on one of its queues, by turns; npm run faults plays every row on each. */
describeBackends('a fault', ({ redisUrl }) => {
  const queue = redisUrl === undefined ? 'postgres' : 'redis'
  const both = inject('redisUrl') !== null
  const rows = faultTable.filter(
    ({ backends }, index) => backends.includes(queue) && (!both || backends[index % backends.length] === queue),
  )
  // Most of a row is waiting, so some are played at a time.
  test.concurrent.each(rows.map((row) => [`${row.where}, ${row.delegate}: ${row.name}`, row] as const))(
    '%s',
    async (_, row) => {
      const observed = await runRow(row, { postgresUrl: inject('postgresUrl'), redisUrl })
      expect(observed).toEqual(row.expected)
    },
    60_000,
  )
})

test('the table has a row for every fault of the design, each once', () => {
  const names = faultTable.map(({ where, delegate, name }) => `${where} ${delegate} ${name}`)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(45)
})

test('a row that heals is green after a later attempt, with its effect made once', () => {
  for (const { heals, expected, name } of faultTable) if (heals) expect(expected, name).toMatchObject({ status: 'succeeded', effects: 1 })
})
