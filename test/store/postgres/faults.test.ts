import { createServer } from 'node:net'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openQueueBackend } from '../../../src/queue/backend.ts'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import { storeFailure } from '../../../src/store/postgres/faults.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { createEmptyDatabase } from '../../support/database/database.ts'
import { listen } from '../../support/net/listen.ts'

const withCode = (code: string, error = new Error('what it says')) => Object.assign(error, { code })
const answered = (code: string) => withCode(code, new pg.DatabaseError('what it says', 1, 'error'))

test('a host of which no address answers is named with each of them', () => {
  const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`))
  // What node:net throws for a name with several addresses.
  expect(storeFailure(withCode('ECONNREFUSED', new AggregateError(refused)))).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/^Postgres: connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127\.0\.0\.1:5432\./),
  })
})

describe('what Postgres or the way to it says is told by its class', () => {
  test.each([
    // The way: libuv, names, TLS.
    'ECONNREFUSED',
    'ENETDOWN',
    'EPIPE',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EAI_FAIL',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('%s on the way is STORE_UNAVAILABLE, which is tried again', (code) => {
    expect(storeFailure(withCode(code))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retry: 'later',
      message: expect.stringContaining('what it says'),
    })
  })

  test.each(['08P01', '53300', '57P01', '58030', 'XX000', '25006', '28P01', '3D000', '40001', '40003', '55P03'])(
    'SQLSTATE %s is STORE_UNAVAILABLE, which is tried again',
    (code) => expect(storeFailure(answered(code))).toMatchObject({ code: 'STORE_UNAVAILABLE', retry: 'later' }),
  )

  test.each(['22P02', '23505', '42703'])('SQLSTATE %s is of the statement or its values, and stays as it is', (code) => {
    const error = answered(code)
    expect(storeFailure(error)).toBe(error)
  })

  test('a server without TLS, where databaseUrl asks for it', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('N')))
    const db = openDb({ url: `postgres://nobody@127.0.0.1:${await listen(server)}/none?sslmode=verify-full`, max: 1 })
    await expect(query(db, 'select 1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('SSL') })
    await db.end()
    server.close()
  })

  test('a user that may not create what the store or the queue needs: STORE_UNSUITABLE, with the rights that are missing', async () => {
    await using database = await createEmptyDatabase()
    const { pathname, username } = new URL(database.url)
    const name = pathname.slice(1)
    const queue = () => openQueueBackend({ redisUrl: undefined, databaseUrl: database.url })
    const unsuitable = {
      code: 'STORE_UNSUITABLE',
      message: expect.stringContaining('permission denied'),
      cure: expect.stringContaining('grant create on'),
    }
    await query(database.db, `revoke create on schema public from pg_database_owner; revoke create on database ${name} from ${username}`)
    await expect(migrate(database.db)).rejects.toMatchObject(unsuitable)
    await query(database.db, 'grant create on schema public to pg_database_owner')
    await migrate(database.db)
    await expect(queue()).rejects.toMatchObject(unsuitable)
    await query(database.db, `grant create on database ${name} to ${username}`)
    await (await queue()).close()
  })
})
