import { expect, test } from 'vitest'
import { cronFault } from '../../../src/lib/time/cron-fault.ts'

test.each<[string, string | undefined]>([
  ['0 7 * * 1', undefined],
  ['0 0 7 * * 1', undefined],
  ['7 * * 1', 'it has 4 of five fields: minute hour day month weekday'],
  ['@Weekly', '@Weekly is written "0 0 * * 0"'],
  ['60 7 * * 1', '60 is no minute, which is 0-59'],
  ['0 25 * * 1', '25 is no hour, which is 0-23'],
  ['0 7 * JANUARY 1', 'JANUARY is no month, which is 1-12 or JAN-DEC'],
  ['0 7 * * MO', 'MO is no day of the week, which is 0-7 or SUN-SAT'],
  ['61 0 7 * * 1', '61 is no second, which is 0-59'],
  ['0 7 ? * MON *', 'it has six fields, and a year is none of them: "0 7 ? * MON"'],
  ['0 7 * * 1 2027', 'it has six fields, and a year is none of them: "0 7 * * 1"'],
  ['0 7 30 2 *', 'it names a day that its months do not have'],
])('of the cron %j it is said: %s', (cron, fault) => {
  expect(cronFault(cron)).toBe(fault)
})
