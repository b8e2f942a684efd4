import { expect, test } from 'vitest'
import { listApiTokens } from '../../src/accounts/api-tokens.ts'
import { createTokenUses } from '../../src/store/api-tokens.ts'
import { query } from '../../src/store/postgres/db.ts'
import { createTestDatabase } from '../support/database/database.ts'

const SHA = (digit: string) => digit.repeat(64)

test('tokens are listed with until when they are good and when they were used last, by their digests', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const warned: unknown[] = []
  const use = createTokenUses(db, { warn: (one: unknown) => void warned.push(one) })
  for (let n = 0; n < 3; n++) use(SHA('1'))
  const now = new Date('2027-01-01T00:00:00Z')
  const list = () =>
    listApiTokens(
      db,
      {
        orders: { sha256: SHA('1'), role: 'runner', jobs: ['work'], expires: new Date('2027-03-31T23:59:59.999Z') },
        old: { sha256: SHA('2'), role: 'viewer', expires: now },
      },
      now,
    )
  await expect.poll(async () => (await list())[0]?.lastUsedAt).toMatch(/^\d{4}-.*Z$/)
  expect(await list()).toMatchObject([
    { name: 'orders', role: 'runner', jobs: ['work'], expires: '2027-03-31T23:59:59.999Z', expired: false },
    { name: 'old', role: 'viewer', jobs: null, expires: now.toISOString(), expired: true, lastUsedAt: null },
  ])
  await query(db, "update api_tokens set used_at = now() - interval '500 days'")
  createTokenUses(db, { warn: () => {} })(SHA('3'))
  await expect.poll(() => query(db, 'select sha256 from api_tokens')).toEqual([{ sha256: SHA('3') }])
  expect(warned).toEqual([])
})
