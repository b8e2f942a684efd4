import { expect, inject, test } from 'vitest'
import { playRow } from './row.ts'
import { PROVIDERS } from './rows.ts'

// Most of a row is waiting, so some are played at a time.
test.concurrent.each(PROVIDERS.map((row) => [`${row.delegate}, ${row.api}: ${row.name}`, row] as const))(
  '%s',
  async (_, row) => {
    const { why, recorded, unexplained, ...observed } = await playRow(row, { postgresUrl: inject('postgresUrl'), redisUrl: undefined })
    expect(observed, why).toEqual(row.expected)
    expect({ recorded, unexplained }, why).toEqual({ recorded: observed.made, unexplained: 0 })
  },
  60_000,
)

test('each row is there once', () => {
  const names = PROVIDERS.map(({ delegate, api, name }) => `${delegate} ${api} ${name}`)
  expect(new Set(names).size).toBe(names.length)
})
