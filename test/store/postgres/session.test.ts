import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { createEmptyDatabase } from '../../support/database/database.ts'
import { freePort } from '../../support/net/listen.ts'
import { until } from '../../support/until.ts'

const urlOf = (name: string) => inject('postgresUrl').replace(/\/[^/]+$/, `/${name}`)

describe('a session', () => {
  test('is what we need, whatever the database and the role have set, and keeps the options of databaseUrl that are not ours', async () => {
    await using database = await createEmptyDatabase()
    const name = new URL(database.url).pathname.slice(1)
    for (const setting of [
      "timezone = 'Asia/Tokyo'",
      "datestyle = 'German'",
      "intervalstyle = 'sql_standard'",
      "default_transaction_isolation = 'serializable'",
      "statement_timeout = '0'",
    ])
      await query(database.db, `alter database ${name} set ${setting}`)
    const db = openDb({ url: `${database.url}?options=-c%20work_mem%3D8MB%20-c%20timezone%3DAmerica/Lima`, max: 1 })
    await using _ = { [Symbol.asyncDispose]: () => db.end() }
    await migrate(db)
    expect(
      await query(
        db,
        `select current_setting('TimeZone') as zone, current_setting('DateStyle') as dates, current_setting('transaction_isolation') as isolation,
           interval '1 day 02:03:04'::text as interval, current_setting('statement_timeout') as bound, current_setting('work_mem') as memory`,
      ),
    ).toEqual([{ zone: 'UTC', dates: 'ISO, MDY', isolation: 'read committed', interval: '1 day 02:03:04', bound: '30s', memory: '8MB' }])
  })

  test('is what we need, whatever else databaseUrl says, which pg would take for its own settings', async () => {
    await using database = await createEmptyDatabase()
    const theirs =
      'statement_timeout=0&lock_timeout=0&idle_in_transaction_session_timeout=0&query_timeout=1&client_encoding=LATIN1&max=1&connect_timeout=1'
    const db = openDb({ url: `${database.url}?${theirs}`, max: 1 })
    await using _ = { [Symbol.asyncDispose]: () => db.end() }
    await migrate(db)
    expect(
      await query(
        db,
        `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
           current_setting('idle_in_transaction_session_timeout') as idle, current_setting('client_encoding') as encoding`,
      ),
    ).toEqual([{ statement: '30s', lock: '5s', idle: '15s', encoding: 'UTF8' }])
  })

  test('that cannot begin as databaseUrl asks is told as that, and not as a fault of a statement', async () => {
    await using database = await createEmptyDatabase()
    const db = openDb({ url: `${database.url}?options=-c%20nothing_of_ours%3D1%20-c%20work_mem%3Dnone`, max: 1 })
    await using _ = { [Symbol.asyncDispose]: () => db.end() }
    await expect(migrate(db)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cure: expect.stringContaining('databaseUrl') })
    for (const file of ['sslrootcert', 'sslcert', 'sslkey'])
      expect(() => openDb({ url: `${database.url}?${file}=/nowhere` })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/^databaseUrl cannot be used: ENOENT/) }),
      )
  })

  test('whose options somebody on the way dropped is refused, with the cure', async () => {
    await using database = await createEmptyDatabase()
    const pool = new pg.Pool({ connectionString: database.url, max: 1 })
    // Its database is removed while a connection may still be closing.
    pool.on('error', () => {})
    await using _ = { [Symbol.asyncDispose]: () => pool.end() }
    await expect(migrate(pool)).rejects.toMatchObject({ code: 'STORE_UNSUITABLE', message: expect.stringContaining('pooler') })
    expect(await query(pool, "select to_regclass('migrations') as migrated")).toEqual([{ migrated: null }])
  })

  test('of a database that cannot hold every text is refused, with the command that makes a right one', async () => {
    await using admin = await createEmptyDatabase()
    const name = `latin_${process.pid}`
    await query(admin.db, `create database ${name} encoding 'LATIN1' locale_provider libc locale 'C' template template0`)
    const db = openDb({ url: urlOf(name), max: 1 })
    await using _ = {
      async [Symbol.asyncDispose]() {
        await db.end()
        await query(admin.db, `drop database ${name}`)
      },
    }
    await expect(migrate(db)).rejects.toMatchObject({
      code: 'STORE_UNSUITABLE',
      message: expect.stringMatching(/LATIN1.*createdb -E UTF8/),
    })
  })
})

const hasPooler = spawnSync('pgbouncer', ['--version']).status === 0

describe.skipIf(!hasPooler)('PgBouncer', () => {
  test.each([
    ['refuses our startup options', ''],
    ['drops them', 'ignore_startup_parameters = options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout'],
  ])('in transaction mode that %s is told as what it is', async (_, setting) => {
    await using database = await createEmptyDatabase()
    const { hostname, port, username, password, pathname } = new URL(database.url)
    const dir = mkdtempSync('/tmp/nightshift-pooler-')
    const listen = await freePort()
    const server = `host=${decodeURIComponent(hostname)} port=${port} user=${username} password=${decodeURIComponent(password)}`
    writeFileSync(
      join(dir, 'pooler.ini'),
      `[databases]\n${pathname.slice(1)} = ${server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${listen}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n${setting}\n`,
    )
    const isRoot = process.getuid?.() === 0
    // It does not run as root, and reads its file as the user that the socket belongs to.
    chmodSync(dir, 0o755)
    const pooler = spawn('pgbouncer', ['-q', '-u', isRoot ? 'nobody' : userInfo().username, join(dir, 'pooler.ini')], { stdio: 'ignore' })
    const db = openDb({ url: `postgres://${username}@127.0.0.1:${listen}${pathname}`, max: 1 })
    try {
      const failure = await until(async () => {
        const error: unknown = await migrate(db).catch((caught: unknown) => caught)
        return error instanceof Error && !error.message.includes('ECONNREFUSED') ? error : undefined
      })
      expect(failure).toMatchObject({ code: 'STORE_UNSUITABLE', message: expect.stringContaining('PgBouncer') })
    } finally {
      await db.end()
      pooler.kill('SIGKILL')
      rmSync(dir, { recursive: true })
    }
  })
})
