import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as zlib from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listGaps } from '../../../src/store/audit/log-gaps.ts'
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
  dir = mkdtempSync(join(tmpdir(), 'nightshift-rotation-'))
  file = join(dir, 'pomerium.log')
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const lines = (n: number, fields: Record<string, unknown> = {}) => Array.from({ length: n }, () => `${authorizeLine(fields)}\n`).join('')
const write = (n: number, fields?: Record<string, unknown>) => appendFileSync(file, lines(n, fields))
const kept = async () => (await query<{ n: number }>(db, 'select count(*)::int as n from authorize_events'))[0]?.n ?? 0
const gaps = () => listGaps(db, new Date(0))

async function followUntil(n: number): Promise<void> {
  await using follower = startFollower(db, file)
  await follower.until(async () => (await kept()) >= n)
}

const zstd = 'zstdCompressSync' in zlib ? zlib.zstdCompressSync : undefined

/** How a copy may be called, and packed. */
const COPIES: [name: string, pack: (bytes: Buffer) => Buffer][] = [
  ['pomerium.log.1', (bytes) => bytes],
  ['archive-of-monday', (bytes) => bytes],
  ['old/pomerium.log', (bytes) => bytes],
  ['pomerium.log.1.gz', (bytes) => gzipSync(bytes)],
]
if (zstd) COPIES.push(['pomerium.log.1.zst', (bytes) => zstd(bytes)])

function copyAndCut(name: string, pack: (bytes: Buffer) => Buffer): void {
  mkdirSync(join(dir, 'old'), { recursive: true })
  writeFileSync(join(dir, name), pack(readFileSync(file)))
  truncateSync(file)
}

test.each(COPIES)('lines that were written just before a log was copied to %s and cut are read from the copy', async (name, pack) => {
  write(5)
  await using follower = startFollower(db, file)
  await follower.until(() => follower.added() === 5)
  write(3)
  copyAndCut(name, pack)
  write(2)
  await follower.until(async () => (await kept()) === 10)
  expect(await gaps()).toEqual([])
})

test.each(COPIES)('a log that was copied to %s and cut while nobody followed goes on in the copy', async (name, pack) => {
  write(5)
  await followUntil(5)
  write(4)
  copyAndCut(name, pack)
  // Longer than what was read before.
  write(30)
  await followUntil(39)
  expect(await kept()).toBe(39)
  expect(await gaps()).toEqual([])
})

/** In a file system whose times are coarse, files that are written at once have one time. */
let hour = 0
const inOrder = (name: string) => utimesSync(join(dir, name), new Date(Date.now() + ++hour * 1000), new Date(Date.now() + hour * 1000))

test.each([
  ['moved away', () => renameSync(file, `${file}.1`)],
  ['copied and cut', () => copyAndCut('pomerium.log.1', (bytes) => bytes)],
])('a log that was %s twice while nobody followed is read whole', async (_, rotate) => {
  write(5)
  await followUntil(5)
  write(3)
  rotate()
  renameSync(`${file}.1`, `${file}.2`)
  inOrder('pomerium.log.2')
  write(4)
  rotate()
  inOrder('pomerium.log.1')
  write(2)
  await followUntil(14)
  expect(await kept()).toBe(14)
  expect(await gaps()).toEqual([])
})

test('earlier files that are packed while nobody follows are read too', async () => {
  write(5)
  await followUntil(5)
  write(3)
  writeFileSync(`${file}.2.gz`, gzipSync(readFileSync(file)))
  inOrder('pomerium.log.2.gz')
  rmSync(file)
  write(4)
  writeFileSync(`${file}.1.gz`, gzipSync(readFileSync(file)))
  inOrder('pomerium.log.1.gz')
  rmSync(file)
  write(2)
  await followUntil(14)
  expect(await kept()).toBe(14)
  expect(await gaps()).toEqual([])
})

test('a log that was cut and whose copy is nowhere is a gap, with its times', async () => {
  write(1, { time: '2026-11-24T10:00:00Z' })
  write(1, { time: '2026-11-24T10:00:07Z' })
  await using follower = startFollower(db, file)
  await follower.until(() => follower.added() === 2)
  truncateSync(file)
  write(1, { time: '2026-11-24T10:30:00Z' })
  await follower.until(() => follower.added() === 3)
  expect(await gaps()).toEqual([{ file, from: new Date('2026-11-24T10:00:07Z'), until: new Date('2026-11-24T10:30:00Z') }])
  expect(follower.warnings.join('')).toContain('lines may be lost')
  write(2)
  await follower.until(() => follower.added() === 5)
  expect(await gaps()).toHaveLength(1)
})

test('a file of another log in the folder is not taken for a copy', async () => {
  write(5)
  await followUntil(5)
  copyFileSync(file, join(dir, 'other'))
  // As long, and another.
  writeFileSync(join(dir, 'other'), lines(40))
  truncateSync(file)
  write(1)
  await followUntil(6)
  expect(await kept()).toBe(6)
  expect(await gaps()).toHaveLength(1)
})

test('logs of two hosts with one path are two logs by their names: each goes on where it stopped, and none is a gap of the other', async () => {
  const other = join(dir, 'of-the-other')
  const follow = async (name: string, n: number) => {
    await using follower = startFollower(db, file, undefined, name)
    await follower.until(async () => (await kept()) >= n)
  }
  write(2, { time: '2026-11-24T10:00:00Z' })
  await follow('pod-1', 2)
  renameSync(file, other)
  write(3, { time: '2026-11-24T10:05:00Z', 'request-id': 'on-the-second' })
  await follow('pod-2', 5)
  rmSync(file)
  renameSync(other, file)
  write(1, { time: '2026-11-24T10:10:00Z' })
  await follow('pod-1', 6)
  expect(await gaps()).toEqual([])
  expect(await query(db, 'select file from log_positions order by 1')).toEqual([{ file: 'pod-1' }, { file: 'pod-2' }])
})
