import { expect, test } from 'vitest'
import { query, storeFailure } from '../../../src/store/postgres/db.ts'
import { createTestDatabase } from '../../support/database/database.ts'

test('a host of which no address answers is named with each of them', () => {
  const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`))
  // What node:net throws for a name with several addresses.
  const error = Object.assign(new AggregateError(refused), { code: 'ECONNREFUSED' })
  expect(storeFailure(error)).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/^Postgres: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127\.0\.0\.1:5432\./),
  })
})

test('a bigint is a number, and one that no number holds exactly is refused, not rounded', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  expect(await query(db, 'select 9007199254740991::bigint as n')).toEqual([{ n: 9_007_199_254_740_991 }])
  for (const text of ['9007199254740993', '-9007199254740993'])
    await expect(query(db, `select (${text})::bigint as n`)).rejects.toMatchObject({ message: expect.stringContaining(text) })
  expect(await query(db, 'select 1 as one')).toEqual([{ one: 1 }])
})
