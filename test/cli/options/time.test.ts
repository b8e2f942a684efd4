import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import { parseTime } from '../../../src/cli/options/time.ts'

describe('a time on the command line', () => {
  test('may be a length of time before now', () => {
    const before = Date.now()
    const at = parseTime('6h').getTime()
    expect(at).toBeGreaterThanOrEqual(before - 6 * 3_600_000)
    expect(at).toBeLessThanOrEqual(Date.now() - 6 * 3_600_000)
  })

  test.for([
    ['2026-11-24T07:00:00Z', '2026-11-24T07:00:00.000Z'],
    ['2026-11-24T07:00:00+01:00', '2026-11-24T06:00:00.000Z'],
    ['2026-11-24T07:00:00.250-05:30', '2026-11-24T12:30:00.250Z'],
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
  ] as const)('may be %s', ([text, iso]) => {
    expect(parseTime(text).toISOString()).toBe(iso)
  })

  // Each of them means something to Date.parse, and it is not what was meant.
  test.for(['6', '12', 'last 7', '7', '03/04/2026', '2026-11-23 00:00', '2026-11-23T00:00', '2026-02-30', 'yesterday', '', '6 h', '-6h'])(
    'is refused as %j: what it means would be a guess',
    (text) => {
      expect(() => parseTime(text)).toThrow(InvalidArgumentError)
    },
  )
})
