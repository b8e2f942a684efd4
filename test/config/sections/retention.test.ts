import { expect, test } from 'vitest'
import { createConfigFiles, GOOD } from '../../support/app/config-files.ts'

const { load, refused } = createConfigFiles()
const DAY_MS = 86_400_000
const all = (days: number | undefined) => {
  const ms = days === undefined ? undefined : days * DAY_MS
  return { succeeded: ms, incomplete: ms, failed: ms, cancelled: ms }
}

test('what nobody says anything of goes: content after 90 days, all else after 400', () => {
  expect(load(GOOD).retention).toEqual({ content: all(90), metadata: all(400), log: 400 * DAY_MS, fires: 400 * DAY_MS })
})

test('what is said to be kept for ever is, and the rest goes by its default', () => {
  const retention = 'retention: { content: { failed: forever, succeeded: 1d }, log: forever }\n'
  expect(load(`${GOOD}${retention}`).retention).toEqual({
    content: { ...all(90), failed: undefined, succeeded: DAY_MS },
    metadata: all(400),
    log: undefined,
    fires: 400 * DAY_MS,
  })
})

test('an age without a unit is told with it', () => {
  expect(refused(`${GOOD}retention: { log: 90 }\n`)).toContain('retention.log has no unit; write 90d for days, or 90h for hours')
})

test.each(['never', 'for ever', '[90d]'])('%s is no age', (age) => {
  expect(refused(`${GOOD}retention: { log: ${age} }\n`)).toContain(
    'retention.log is not a duration; write a number and ms, s, m, h or d, such as 30d, or forever',
  )
})
