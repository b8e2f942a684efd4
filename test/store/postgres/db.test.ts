import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { withAdvisoryLock } from '../../../src/store/postgres/advisory-lock.ts'
import { openDb, query, retryWhileUnavailable, slowQuery, transaction, transactionOnce, type Db } from '../../../src/store/postgres/db.ts'
import { lockLimits } from '../../../src/store/runs/holds.ts'
import { claim, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { startWayTo } from '../../support/app/outage.ts'
import { withInstead } from '../../support/instead.ts'

test('a bigint is a number, and one that no number holds exactly is refused, not rounded', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  expect(await query(db, 'select 9007199254740991::bigint as n')).toEqual([{ n: 9_007_199_254_740_991 }])
  for (const text of ['9007199254740993', '-9007199254740993'])
    await expect(query(db, `select (${text})::bigint as n`)).rejects.toMatchObject({ message: expect.stringContaining(text) })
  expect(await query(db, 'select 1 as one')).toEqual([{ one: 1 }])
})

const SHORT = { statementMs: 300, lockMs: 200, idleInTransactionMs: 200 }

const unavailable = (message: string) => ({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining(message) })

describe('nothing that is asked of Postgres waits without a bound', () => {
  test('a statement on a path that has fallen silent, in a transaction or not', async () => {
    await using database = await createTestDatabase()
    await using proxy = await startWayTo(database.url)
    const db = openDb({ url: proxy.url, max: 2, timeouts: { ...SHORT, connectMs: 2000, answerMs: 100 } })
    await query(db, 'select 1')
    await transaction(db, async (client) => {
      proxy.fallSilent()
      await expect(query(client, 'select 1')).rejects.toMatchObject(unavailable('read timeout'))
      throw new Error('enough')
    }).catch((error: unknown) => expect(error).toMatchObject({ message: 'enough' }))
    await expect(query(db, 'select 1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(transaction(db, (client) => query(client, 'select 1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await db.end()
  })

  test('a statement that is at work for too long', async () => {
    const db = openDb({ url: inject('postgresUrl'), max: 1, timeouts: SHORT })
    await expect(query(db, 'select pg_sleep(60)')).rejects.toMatchObject(unavailable('statement timeout'))
    expect(await query(db, 'select 1 as one')).toEqual([{ one: 1 }])
    await db.end()
  })

  test('claims of an account whose lock a frozen worker holds, which loses it', async () => {
    await using database = await createTestDatabase()
    const frozen = openDb({ url: database.url, max: 1, timeouts: SHORT })
    const db = openDb({ url: database.url, timeouts: SHORT })
    const run = await writeRun(db)
    const holding = await frozen.connect()
    holding.on('error', () => {})
    await holding.query('begin')
    await lockLimits(holding, { account: 'reports' })
    const claimed = retryWhileUnavailable(() => claim(db, run, { concurrencyOf: () => ({ job: undefined, account: 10 }) }))
    expect(await claimed).toMatchObject({ kind: 'opened' })
    holding.release(true)
    await Promise.all([frozen.end(), db.end()])
  })

  test('but one that upkeep asks for may take its time', async () => {
    const db = openDb({ url: inject('postgresUrl'), max: 1, timeouts: { ...SHORT, answerMs: 100 } })
    expect(await slowQuery(db, 'select 1 as one from pg_sleep(0.7)')).toEqual([{ one: 1 }])
    await expect(query(db, 'select pg_sleep(60)')).rejects.toMatchObject(unavailable('statement timeout'))
    await db.end()
  })
})

/** The pool, whose next commits come to nothing but a broken connection: after it was done, or before. */
function losing(db: Db, commits: ('done' | 'undone')[]): Db {
  return withInstead(db, 'connect', async () => {
    const client = await db.connect()
    return withInstead(client, 'query', async (...asked: Parameters<typeof client.query>) => {
      const how = asked[0] === 'commit' ? commits.shift() : undefined
      if (how === undefined) return client.query(...asked)
      await client.query(how === 'done' ? 'commit' : 'rollback')
      throw new Error('Connection terminated unexpectedly')
    })
  })
}

test.each([[['done']], [['undone']], [['undone', 'undone', 'done']], [[]]] as ('done' | 'undone')[][][])(
  'what would do harm twice is done once, whatever becomes of the answer to its commit: %j',
  async (commits) => {
    await using database = await createTestDatabase()
    await query(database.db, 'create table spent (n int)')
    const made = await transactionOnce(losing(database.db, commits), async (client) => {
      const [row] = await query<{ n: number }>(client, 'insert into spent values (7) returning n')
      return row?.n
    })
    expect(made).toBe(7)
    expect(await query(database.db, 'select n from spent')).toEqual([{ n: 7 }])
  },
)

/** They open our own server on this machine, and wait for it with a deadline of their own. */
const OWN_SERVER = ['store/postgres/embedded/access.ts', 'store/postgres/embedded/server.ts']

test('no connection to Postgres is opened without these bounds', () => {
  const root = join(import.meta.dirname, '../../../src')
  const without = globSync('**/*.ts', { cwd: root }).filter((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return /new pg\.(Client|Pool)\(|connectionString:/.test(text) && !/connectionTo\(/.test(text)
  })
  expect(without.toSorted()).toEqual(OWN_SERVER)
})

test('the same work is done by one process at a time, each with its own connections, and the next begins when it failed', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  let inside = 0
  const work = async () => {
    expect(++inside).toBe(1)
    await query(db, 'select 1')
    inside--
  }
  const failed = withAdvisoryLock(db, 'match', () => Promise.reject(new Error('no')))
  await expect(failed).rejects.toThrow('no')
  await Promise.all(Array.from({ length: 4 }, () => withAdvisoryLock(db, 'match', work)))
})
