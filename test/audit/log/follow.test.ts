import {
  appendFileSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importLog } from '../../../src/audit/log/import.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { startFollower } from '../../support/log/follower.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

let database: TestDatabase
let db: Db
let dir: string
let file: string

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-follow-'))
  file = join(dir, 'pomerium.log')
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const lines = (n: number) => Array.from({ length: n }, () => `${authorizeLine()}\n`)
const write = (text: string | string[]) => appendFileSync(file, typeof text === 'string' ? text : text.join(''))

async function kept(): Promise<number> {
  const [row] = await query<{ n: number }>(db, 'select count(*)::int as n from authorize_events')
  return row?.n ?? 0
}

const imported = (name = file) => importLog(createReadStream(name), { db, paramsBytes: 100 })

/** Follows until so many events are kept in all, and stops. */
async function followUntil(n: number): Promise<void> {
  await using follower = startFollower(db, file)
  await follower.until(async () => (await kept()) >= n)
}

test('lines are read as they come, and a file that appears later too: until then the duty fails, which is said once', async () => {
  file = join(dir, 'later', 'pomerium.log')
  await using follower = startFollower(db, file)
  await follower.until(() => follower.duty.state().failures > 1)
  expect(follower.warnings).toEqual([expect.stringContaining('There is no such file')])
  mkdirSync(join(dir, 'later'))
  write(lines(3))
  await follower.until(() => follower.added() === 3)
  write(lines(2))
  await follower.until(() => follower.added() === 5)
  expect(await kept()).toBe(5)
  expect(follower.warnings).toHaveLength(1)
  expect(follower.duty.state().succeededAgoMs).toEqual(expect.any(Number))
})

test('half a line is read when it is whole', async () => {
  const [line = ''] = lines(1)
  write(line.slice(0, 100))
  await using follower = startFollower(db, file)
  await follower.until(() => true)
  expect(follower.added()).toBe(0)
  write(line.slice(100, -1))
  await follower.until(() => true)
  expect(follower.added()).toBe(0)
  write('\n')
  await follower.until(() => follower.added() === 1)
  expect(follower.warnings).toEqual([])
})

test('a line that is broken is said', async () => {
  write([authorizeLine({ 'service-account-id': undefined }).slice(0, -1), '\n', ...lines(1)])
  await using follower = startFollower(db, file)
  await follower.until(() => follower.added() === 1)
  expect(follower.warnings.join('')).toContain('may be an authorize check and cannot be read')
})

test('reading goes on where it stopped, equal lines across the stop included', async () => {
  const line = `${authorizeLine()}\n`
  write([line, line, ...lines(2)])
  await followUntil(4)
  write([line, ...lines(1)])
  await followUntil(6)
  expect(await imported()).toMatchObject({ events: 6, added: 0 })
})

test('what was imported while nobody followed is not doubled', async () => {
  write(lines(3))
  await followUntil(3)
  write(lines(4))
  expect(await imported()).toMatchObject({ events: 7, added: 4 })
  write(lines(1))
  await followUntil(8)
  expect(await kept()).toBe(8)
})

test('a file that was imported before it is followed is not doubled', async () => {
  write(lines(5))
  await imported()
  write(lines(1))
  await followUntil(6)
  expect(await kept()).toBe(6)
})

test('a stop between two batches loses nothing', async () => {
  write(lines(4500))
  let rounds = 0
  await using follower = startFollower(db, file, async () => void rounds++)
  // Stopped as soon as it has begun: a batch may be under way.
  await query(db, 'select 1')
  await follower.stop()
  expect(await kept()).toBeLessThanOrEqual(4500)
  await followUntil(4500)
  expect(await imported()).toMatchObject({ events: 4500, added: 0 })
})

test('a batch that the store refuses is read again, with the same numbers for equal lines', async () => {
  const line = `${authorizeLine()}\n`
  await query(db, `create function refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$`)
  await query(db, 'create trigger refuse before insert on authorize_events for each row execute function refuse()')
  write([line, line, ...lines(2)])
  await using follower = startFollower(db, file)
  await follower.until(() => follower.warnings.join('').includes('tried again'))
  await query(db, 'drop trigger refuse on authorize_events')
  await follower.until(() => follower.added() === 4)
  expect(await imported()).toMatchObject({ events: 4, added: 0 })
})

test('a file that is moved away is read to its end, and then the new one', async () => {
  write(lines(3))
  await using follower = startFollower(db, file)
  await follower.until(() => follower.added() === 3)
  renameSync(file, `${file}.1`)
  appendFileSync(`${file}.1`, lines(2).join(''))
  write(lines(4))
  await follower.until(() => follower.added() === 9)
  write(lines(1))
  await follower.until(() => follower.added() === 10)
  expect(await imported(`${file}.1`)).toMatchObject({ events: 5, added: 0 })
  expect(await imported()).toMatchObject({ events: 5, added: 0 })
})

test('a file that was moved away while nobody followed is read to its end first', async () => {
  write(lines(3))
  await followUntil(3)
  write(lines(2))
  renameSync(file, `${file}.1`)
  write(lines(4))
  await followUntil(9)
  expect(await kept()).toBe(9)
})

test('a file that is copied and cut is read from its beginning', async () => {
  write(lines(6))
  await using follower = startFollower(db, file)
  await follower.until(() => follower.added() === 6)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  write(lines(2))
  await follower.until(() => follower.added() === 8)
  expect(await imported(`${file}.1`)).toMatchObject({ events: 6, added: 0 })
})

test('a file that was cut and has grown past the place where reading stopped is read from its beginning', async () => {
  write(lines(2))
  await followUntil(2)
  truncateSync(file)
  write([authorizeLine({ path: `/${'x'.repeat(2000)}` }), '\n', ...lines(3)])
  await followUntil(6)
  expect(await kept()).toBe(6)
})

test('a file that was replaced while nobody followed is read whole', async () => {
  write(lines(5))
  await followUntil(5)
  rmSync(file)
  writeFileSync(join(dir, 'other'), 'x')
  write(lines(1))
  await followUntil(6)
  expect(await kept()).toBe(6)
})

test('CRLF and lines about other things do not stop it', async () => {
  write([`${authorizeLine()}\r\n`, 'starting\r\n', '\r\n', `${authorizeLine()}\r\n`])
  await followUntil(2)
  expect(await imported()).toMatchObject({ events: 2, added: 0, skipped: 2 })
})
