import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createJournalWriter } from '../../src/store/attempts/journal.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { prune } from '../../src/store/retention.ts'
import { opened, takenOver, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'

const TABLE = Array.from({ length: 20_000 }, (_, at) => `${at},some name,12.50`).join('\n')
const text = (content: string) => ({ content: Buffer.from(content), mediaType: 'text/plain' })
const digestOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

const stored = (db: Db) =>
  query<{ digest: string; bytes: number; encoding: string; size: number }>(
    db,
    'select digest, bytes, encoding, length(content) as size from result_contents order by bytes',
  )
const named = (db: Db) =>
  query<{ runId: string; digest: string }>(db, 'select run_id as "runId", digest from run_contents order by run_id, digest')

async function journalOf(db: Db) {
  const runId = await writeRun(db)
  const attempt = await opened(db, runId)
  return { runId, attempt, journal: createJournalWriter(db).forAttempt(attempt) }
}

test('a text is kept compressed, and read as it was by a process that did not write it', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  const kept = await journal.keepContent(text(TABLE))
  expect(kept).toEqual({ digest: digestOf(TABLE), bytes: Buffer.byteLength(TABLE) })
  const [row] = await stored(db)
  expect(row).toMatchObject({ ...kept, encoding: 'br' })
  expect(row?.size).toBeLessThan(kept.bytes / 5)
  expect(await named(db)).toEqual([{ runId, digest: kept.digest }])
  const { journal: other } = await journalOf(db)
  expect((await other.readContent(kept.digest))?.toString()).toBe(TABLE)
  expect(await other.readContent('none')).toBeUndefined()
})

test.each([
  ['another text', "'other', 'identity'"],
  ['what cannot be unpacked', "'other', 'br'"],
  ['what is longer than it was', "decode('8b2a0080616161616161616161616161616161616161616161616161616103', 'hex'), 'identity'"],
])('a content that was changed into %s is none, for who reads it', async (_, changed) => {
  await using database = await createTestDatabase()
  const { journal } = await journalOf(database.db)
  const { digest } = await journal.keepContent(text(TABLE))
  await query(database.db, `update result_contents set (content, encoding) = (${changed})`)
  const { journal: other } = await journalOf(database.db)
  expect(await other.readContent(digest)).toBeUndefined()
})

test('bytes of an image are kept as they are', async () => {
  await using database = await createTestDatabase()
  const { journal } = await journalOf(database.db)
  const content = randomBytes(1000)
  const { digest } = await journal.keepContent({ content, mediaType: 'image/png' })
  expect(await stored(database.db)).toMatchObject([{ encoding: 'identity', size: 1000 }])
  const { journal: other } = await journalOf(database.db)
  expect(await other.readContent(digest)).toEqual(content)
})

test('the same content of many calls and runs is kept once', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [one, two] = [await journalOf(db), await journalOf(db)]
  await Promise.all([one, one, two, two].map(({ journal }) => journal.keepContent(text(TABLE))))
  expect(await stored(db)).toHaveLength(1)
  expect((await named(db)).map(({ runId }) => runId)).toEqual([one.runId, two.runId].toSorted())
})

test('an attempt that lost its run names nothing any more', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { runId, journal } = await journalOf(db)
  await takenOver(db, runId)
  await expect(journal.keepContent(text(TABLE))).rejects.toMatchObject({ code: 'WORKER_LOST' })
  expect(await named(db)).toEqual([])
})

test('a content goes with the content of the last run that names it, and not while it is new', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [one, two, three] = [await journalOf(db), await journalOf(db), await journalOf(db)]
  for (const { journal } of [one, two]) await journal.keepContent(text('of both'))
  await one.journal.keepContent(text('of one'))
  const end = (runId: string, status: string) =>
    query(db, "update runs set status = $2, finished_at = now() - interval '2 days' where id = $1", [runId, status])
  const round = async () => {
    await prune(db, { content: { succeeded: 86_400_000 }, metadata: { failed: 86_400_000 } })
    return (await stored(db)).map(({ digest }) => digest)
  }
  await end(one.runId, 'succeeded')
  // Somebody may be about to name it.
  expect(await round()).toHaveLength(2)
  expect(await named(db)).toEqual([{ runId: two.runId, digest: digestOf('of both') }])
  await query(db, "update result_contents set named_at = now() - interval '2 hours'")
  expect(await round()).toEqual([digestOf('of both')])
  await end(two.runId, 'failed')
  // Kept again: it is new.
  await three.journal.keepContent(text('of both'))
  expect(await round()).toEqual([digestOf('of both')])
  expect(await named(db)).toEqual([{ runId: three.runId, digest: digestOf('of both') }])
})
