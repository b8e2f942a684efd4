import { expect, test } from 'vitest'
import { showComing } from '../../../src/lib/show/time.ts'

const NOW = Date.parse('2026-11-28T03:11:39Z')

test.each([
  ['2026-11-28T03:12:09Z', '2026-11-28 03:12:09 UTC, in 30 s'],
  ['2026-11-28T08:11:39Z', '2026-11-28 08:11:39 UTC, in 5 h'],
  ['2026-11-28T03:11:39Z', '2026-11-28 03:11:39 UTC'],
])('%s is told with how far it is from now, as long as it is to come', (at, shown) => {
  expect(showComing(at, NOW)).toBe(shown)
})
