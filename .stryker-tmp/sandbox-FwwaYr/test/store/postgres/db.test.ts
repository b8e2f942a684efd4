// @ts-nocheck
import { expect, test } from 'vitest'
import { storeFailure } from '../../../src/store/postgres/db.ts'

test('a host of which no address answers is named with each of them', () => {
  const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`))
  // What node:net throws for a name with several addresses.
  const error = Object.assign(new AggregateError(refused), { code: 'ECONNREFUSED' })
  expect(storeFailure(error)).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/^Postgres: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127\.0\.0\.1:5432\./),
  })
})
