import { expect, test } from 'vitest'
import { boundMs, nameOf, SILENCE_ROWS } from './rows.ts'

test('each silence has its bound in the table of waits, and each row is there once', () => {
  for (const row of SILENCE_ROWS) expect(boundMs(row), nameOf(row)).toBeGreaterThan(0)
  expect(new Set(SILENCE_ROWS.map(nameOf)).size).toBe(SILENCE_ROWS.length)
})
