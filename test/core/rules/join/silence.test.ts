import { expect, test } from 'vitest'
import { lateAfterMs, silenceId } from '../../../../src/core/rules/join/silence.ts'

test.each([
  ['no grace time: as long as a follower takes that is started again', 0, 300_000],
  ['a grace time below that', 299_999, 300_000],
  ['a grace time beyond it', 300_001, 300_001],
])('a request without a line counts after %s', (_, graceMs, lateMs) => {
  expect(lateAfterMs(graceMs)).toBe(lateMs)
})

test('its alarm has one id in an hour, another in the next, and that id is a UUID of version 8', () => {
  const id = silenceId(new Date('2027-01-04T05:00:00.000Z'))
  expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/)
  expect(silenceId(new Date('2027-01-04T05:59:59.999Z'))).toBe(id)
  expect(silenceId(new Date('2027-01-04T04:59:59.999Z'))).not.toBe(id)
  expect(silenceId(new Date('2027-01-04T06:00:00.000Z'))).not.toBe(id)
  // Two versions side by side tell it once: sha256 of "silence of the log 499733".
  expect(id).toBe('783a7660-8229-83b8-8495-29f9556076a2')
})
