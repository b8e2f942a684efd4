import { describe, expect, test } from 'vitest'
import { hasRedisServer } from '../../support/app/outage.ts'
import { playSilence } from './play.ts'
import { nameOf, SILENCE_ROWS } from './rows.ts'

const SILENT_MS = 8000

describe.skipIf(!hasRedisServer())('a neighbour that takes what it is sent and says nothing', () => {
  // npm run faults plays every row, for longer, and holds each to its bound.
  const rows = SILENCE_ROWS.filter(({ neighbour, how, whose }) => neighbour === 'postgres' && (how === 'swallow') === (whose === 'one'))
  test.concurrent.each(rows.map((row) => [nameOf(row), row] as const))(
    '%s: no run is lost or done twice, and /readyz says so',
    async (_, row) => {
      const outcome = await playSilence(row, SILENT_MS)
      expect(outcome).toMatchObject({ lost: 0, doubled: 0, harmed: 0, readyz: 503, signMs: expect.any(Number) })
    },
    240_000,
  )
})
