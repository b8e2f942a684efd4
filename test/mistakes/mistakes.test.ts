import { expect, test } from 'vitest'
import { check } from './check.ts'
import { JOB } from './row.ts'
import { MISTAKES } from './table.ts'

test('nothing is said of the files without a mistake', async () => {
  expect(await check({ file: 'jobs/report.yaml', good: JOB, typed: JOB })).toEqual([])
})

test.each(MISTAKES)('$name: the check says where, and what to write', async (mistake) => {
  expect(await check(mistake)).toEqual(mistake.says)
})

test.each(MISTAKES)('$name: what follows the cure to the letter has no fault', async (mistake) => {
  const { good, mended = good, elsewhere, says } = mistake
  for (const named of says.flatMap((line) => [...line.matchAll(/did you mean (.+?)\?(?= |$)/g)]))
    expect(`${mended} ${elsewhere?.mended ?? ''}`, 'the name that the message proposes').toContain(named[1])
  expect(await check({ ...mistake, typed: mended, ...(elsewhere && { also: elsewhere }) })).toEqual([])
})

test('each mistake is told with its file, its line and a cure', () => {
  for (const { name, file, says } of MISTAKES) {
    expect(says.length, name).toBeGreaterThan(0)
    for (const line of says.filter((one) => !FRAME.test(one)))
      expect(line, name).toMatch(new RegExp(`^(?:CONFIG_INVALID |warning: )?${file}:[1-9]\\d*: \\S`))
  }
  expect(MISTAKES.length).toBeGreaterThanOrEqual(40)
  expect(new Set(MISTAKES.map(({ name }) => name)).size).toBe(MISTAKES.length)
})

/** What stands around the lines of a configuration with faults. */
const FRAME = /^CONFIG_INVALID The configuration has|^Each key is described in docs\/configuration\.md\.$/
