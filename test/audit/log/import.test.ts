import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createGunzip, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importLog } from '../../../src/audit/log/import.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'
import { command } from '../../support/cli/command.ts'
import { buildTestApp } from '../../support/app/test-app.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const read = (chunks: readonly (string | Buffer)[], signal?: AbortSignal) =>
  importLog(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), { db: database.db, paramsBytes: 100, signal })

const OTHER = JSON.stringify({ message: 'http-request', time: '2026-11-24T10:00:00Z' })

test('lines about other things are skipped and counted, and so are broken ones', async () => {
  const text = `${authorizeLine()}\n${OTHER}\n\nstarting\n${authorizeLine({ 'service-account-id': undefined }).slice(0, -1)}\n${authorizeLine()}\n`
  expect(await read([text])).toMatchObject({ lines: 6, events: 2, added: 2, skipped: 3, broken: 1 })
})

describe('a log is the same log', () => {
  const lines = [authorizeLine(), OTHER, authorizeLine({ user: 'é' }), authorizeLine()]
  const text = lines.join('\n')
  test.each([
    ['with a newline at its end', [`${text}\n`], 3],
    ['without one', [text], 0],
    ['with CRLF', [`${lines.join('\r\n')}\r\n`], 0],
    ['with CRLF and no last newline', [lines.join('\r\n')], 0],
    ['ending in CR', [`${text}\r`], 0],
    ['a byte at a time', [...Buffer.from(text)].map((byte) => Buffer.from([byte])), 0],
    ['in two parts', [text.slice(0, 100), text.slice(100)], 0],
  ])('%s', async (_, chunks, added) => {
    expect(await read(chunks)).toMatchObject({ lines: 4, events: 3, added, skipped: 1, broken: 0 })
  })
})

test('equal lines of one second are each kept, and reading them again changes nothing', async () => {
  const line = authorizeLine()
  const text = `${line}\n${authorizeLine()}\n${line}\n${line}\n`
  expect(await read([text])).toMatchObject({ events: 4, added: 4 })
  expect(await read([text])).toMatchObject({ events: 4, added: 0 })
  expect(await read([`${text}${line}\n`])).toMatchObject({ events: 5, added: 1 })
})

test('a packed log is read through a pipe', async () => {
  const packed = Readable.from([gzipSync(`${authorizeLine()}\n${authorizeLine()}\n`)]).pipe(createGunzip())
  expect(await importLog(packed, { db: database.db, paramsBytes: 0 })).toMatchObject({ events: 2, added: 2 })
})

test('a reading that was stopped between two batches goes on when it is repeated', async () => {
  const lines = Array.from({ length: 4500 }, () => authorizeLine())
  const abort = new AbortController()
  async function* chunks() {
    for (const [i, line] of lines.entries()) {
      if (i === 3000) abort.abort(new Error('stopped'))
      yield Buffer.from(`${line}\n`)
    }
  }
  await expect(importLog(Readable.from(chunks()), { db: database.db, paramsBytes: 0, signal: abort.signal })).rejects.toThrow('stopped')
  const counts = await read([lines.join('\n')])
  expect(counts.events).toBe(4500)
  expect(counts.added).toBeLessThan(4500)
  const digests = await query<{ n: number }>(database.db, 'select count(*)::int as n from authorize_events where params is null')
  expect(digests[0]?.n).toBeGreaterThan(0)
  expect(await read([lines.join('\n')])).toMatchObject({ added: 0 })
})

test('a line that is too long to be read is broken, and those after it are read', async () => {
  const piece = 'x'.repeat(1_048_576)
  const chunks = [...Array.from({ length: 33 }, () => piece), '\n', `${authorizeLine()}\n`]
  expect(await read(chunks)).toMatchObject({ lines: 2, events: 1, added: 1, broken: 1 })
})

test('of a line that is too long it is known whose it is', async () => {
  const piece = 'x'.repeat(1_048_576)
  const head = authorizeLine().slice(0, -1)
  const { db } = database
  await query(db, 'truncate authorize_events')
  expect(await read([head, ...Array.from({ length: 33 }, () => piece), '\n', `${authorizeLine()}\n`])).toMatchObject({
    lines: 2,
    events: 2,
    broken: 0,
  })
  expect(await query(db, 'select account_id, reasons from authorize_events order by id')).toMatchObject([
    { account_id: 'sa-reports', reasons: ['unreadable'] },
    {},
  ])
})

test('hostile text is kept', async () => {
  const bad = "a\0b\ud800 \u202e <script> '; drop table runs; --"
  const line = authorizeLine({
    'request-id': bad,
    path: bad,
    'mcp-tool': bad,
    'mcp-tool-parameters': { bad },
    'allow-why-true': [bad, '{"a":1}', 'a,b'],
  })
  expect(await read([line])).toMatchObject({ events: 1, added: 1 })
  const [row] = await query<{ reasons: string[] }>(database.db, "select reasons from authorize_events where path like '%drop table%'")
  expect(row?.reasons).toEqual([bad.replace('\0', '\ufffd').replace('\ud800', '\ufffd'), '{"a":1}', 'a,b'])
})

describe('nightshift audit import', () => {
  test('says what it read, in words and as JSON; a file that is not there ends with 2', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-import-'))
    await using testApp = await buildTestApp({ jobs: {} })
    const file = join(dir, 'pomerium.log')
    writeFileSync(file, `${authorizeLine({ 'service-account-id': 'sa-other' })}\n${OTHER}\n`)
    const at = ['-c', testApp.world.configFile, 'audit', 'import']
    const words = await command([...at, file])
    expect(words).toMatchObject({ code: 0, err: '' })
    expect(words.out).toBe('2 lines: 1 authorize checks, 1 of them new, 1 about other things, 0 broken. 0 newly matched.')
    const again = await command([...at, file, '--json'])
    expect(JSON.parse(again.out)).toEqual({ lines: 2, events: 1, added: 0, skipped: 1, broken: 0, matched: 0 })
    const nowhere = await command([...at, join(dir, 'nowhere')])
    expect(nowhere).toMatchObject({ code: 2, out: '' })
    expect(nowhere.err).toMatch(/^COMMAND_INVALID The log .*nowhere cannot be read/)
    expect(await command([...at, dir])).toMatchObject({ code: 2, out: '' })
    rmSync(dir, { recursive: true, force: true })
  })
})

test('a log that is piped in and does not end is left when its reader is told to', async () => {
  const leaving = new AbortController()
  const reading = importLog(new PassThrough(), { db: database.db, paramsBytes: 0, signal: leaving.signal })
  leaving.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
})
