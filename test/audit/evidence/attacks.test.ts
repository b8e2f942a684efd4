import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyRuns } from '../../../src/audit/evidence/files.ts'
import type { Signer } from '../../../src/audit/evidence/signer.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { createJournalWriter } from '../../../src/store/attempts/journal.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { prune } from '../../../src/store/retention.ts'
import { endCancelled, endedRun, endGreen, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { proofOf } from '../../support/evidence/proof.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const DAY_MS = 86_400_000
const keep = { content: {}, metadata: {}, log: 5 * DAY_MS }

let database: TestDatabase
let db: Db
let dir: string
let signer: Signer

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-attacks-'))
  signer = signerOf(join(dir, 'evidence.key'))
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

/** A run that ended an hour ago, with a report that is to be sent. */
const over = () =>
  endedRun(db, '1 hour', { output: { n: 1 }, deliveries: [{ id: randomUUID(), target: { webhook: 'ops' }, status: 'pending' }] })
const ended = (id: string, ago: string) => query(db, `update runs set finished_at = now() - interval '${ago}' where id = $1`, [id])
const log = (daysAgo: number) => {
  const line = authorizeLine({ time: new Date(Date.now() - daysAgo * DAY_MS).toISOString(), 'request-id': randomUUID() })
  return importLog(Readable.from([Buffer.from(line)]), { db, paramsBytes: 100 })
}
const sign = () => takeCheckpoint(db, signer, { keep })
const verify = () => verifyRuns(db, join(dir, 'evidence.key.pub'), [], { keep, memoryFile: signer.memoryFile })
const faults = async () => (await verify()).faults

test.each(['runs', 'lines', 'records'])(
  'a list of a checkpoint that is no list any more is a fault, and stops nobody: %s',
  async (list) => {
    const id = await over()
    await log(1)
    await sign()
    for (const other of ['{"another":1}', '[5]', '[{"rows":7}]', '"text"', 'null']) {
      await query(db, `update checkpoints set ${list} = '${other}'`)
      expect(await faults(), other).toContainEqual(expect.stringMatching(/^checkpoint 1: its list of .* was changed$/))
      expect(await proofOf(db, id), other).toHaveProperty(list === 'records' ? 'entry' : 'why')
    }
    await over()
    expect(await sign()).toMatchObject({ number: 2 })
  },
)

test.each(['output', 'output_text', 'ending'])(
  'a result that is given to a run that ended without an attempt is found: %s',
  async (column) => {
    const id = await writeRun(db)
    await endCancelled(db, id)
    await ended(id, '1 hour')
    await sign()
    expect(await faults()).toEqual([])
    await query(db, `update runs set ${column} = '{"total":42}'`)
    expect(await faults()).toEqual([`run ${id} of checkpoint 1 was changed`])
  },
)

test.each<[string, string[]]>([
  ['changed', ["update result_contents set content = 'other'"]],
  ['gone', ['delete from run_contents', 'delete from result_contents']],
])('what is kept of a result, and is %s, is found', async (what, attack) => {
  const id = await writeRun(db)
  const attempt = await opened(db, id)
  const journal = createJournalWriter(db).forAttempt(attempt)
  const images = await Promise.all(
    ['one', 'two'].map(async (content) => ({
      ...(await journal.keepContent({ content: Buffer.from(content), mediaType: 'image/png' })),
      mediaType: 'image/png',
    })),
  )
  const call = { id: randomUUID(), turn: 1, position: 0, callId: 'c', server: 'shop', tool: 'look', arguments: {}, repeatable: true }
  await journal.toolCallRefused(call, {
    id: call.id,
    status: 'ok',
    result: { text: 'images', truncated: false, images },
    failure: null,
    durationMs: 0,
  })
  await endGreen(db, attempt, '1 hour', { output: 1 })
  await sign()
  expect(await faults()).toEqual([])
  for (const statement of attack) await query(db, statement)
  expect(await faults()).toEqual([
    `run ${id} of checkpoint 1 names the result ${images[0]?.digest}, which ${what === 'gone' ? 'is gone' : 'was changed'}`,
  ])
})

test('retention that takes an old line leaves those of other hours signed', async () => {
  await log(6)
  await log(4)
  await sign()
  await prune(db, keep)
  expect(await verify()).toMatchObject({ lines: 2, linesGone: 1, faults: [] })
  await query(db, "update authorize_events set host = 'another'")
  expect(await faults()).toHaveLength(1)
})

test('a line below the first one, or in the place of some that retention took, is found', async () => {
  await log(6)
  await log(6)
  await sign()
  const copy = (id: number) =>
    query(
      db,
      `insert into authorize_events (id, line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons)
       overriding system value values (${id}, 'x', 1, 'r', now(), 'GET', 'h', '/', '::1', 'u', true, '{}')`,
    )
  await prune(db, keep)
  expect(await faults()).toEqual([])
  await copy(1)
  expect(await faults()).toEqual([expect.stringMatching(/^lines 1 to 2 of the log of checkpoint 1 were changed/)])
  await query(db, 'delete from authorize_events')
  await copy(-5)
  expect(await faults()).toEqual(['1 lines of the log have ids below the first'])
})

test.each([
  ['it is in a checkpoint', 'checkpointed_attempts = 7', '5 days'],
  ['it is to end', "finished_at = now() + interval '9 days'", '5 days'],
  ['it has not ended', 'finished_at = null', '5 days'],
])('a run of which it is only said that %s is counted as unsigned', async (_, edit, ago) => {
  await ended(await over(), ago)
  await query(db, 'alter table runs drop constraint runs_check')
  await query(db, `update runs set ${edit}`)
  await over()
  await sign()
  expect(await verify()).toMatchObject({ unsigned: 1, runs: 1, faults: [] })
})

test('a run whose content was removed before it was signed is signed all the same, and nobody is accused for it', async () => {
  const id = await over()
  await query(db, "update deliveries set status = 'delivered'")
  await prune(db, { content: { succeeded: 1 }, metadata: {} })
  expect(await sign()).toMatchObject({ count: 1 })
  expect(await faults()).toEqual([])
  await query(db, 'update runs set cost_usd = 7')
  expect(await faults()).toEqual([`run ${id} of checkpoint 1 was changed`])
})

test('a report that was sent after its run was signed is signed with the next checkpoint, and once more while it may change', async () => {
  const id = await over()
  await sign()
  await query(db, "update deliveries set status = 'delivered', ended_at = now()")
  expect(await sign()).toMatchObject({ number: 2, count: 1 })
  expect(await sign()).toBeUndefined()
  await query(db, "update deliveries set status = 'failed'")
  expect(await faults()).toEqual([`run ${id} of checkpoint 2 was changed`])
})

test('a row that never settles is not signed for ever', async () => {
  await over()
  await sign()
  await query(db, "update runs set finished_at = finished_at - interval '4 days'")
  expect(await sign()).toMatchObject({ number: 2, count: 1 })
  expect(await sign()).toBeUndefined()
})

test('what a stranger’s checkpoint says of retention explains nothing', async () => {
  const id = await over()
  await sign()
  const strange = signerOf(join(dir, 'strange.key'))
  await takeCheckpoint(db, strange, { keep: { content: {}, metadata: { succeeded: 1 } }, gap: { acceptedBy: 'eve', reason: 'mine' } })
  await query(db, 'delete from runs where id = $1', [id])
  await query(db, 'insert into pruned_runs (run_id) values ($1)', [id])
  const found = await faults()
  expect(found).toContainEqual(expect.stringMatching(/^checkpoint 2: it is signed with the key/))
  expect(found).toContainEqual(expect.stringMatching(/^run .* of checkpoint 1 was removed, and no retention was set/))
})

describe('what is said of a time that is to come, or of nobody, is found', () => {
  test.each([
    ['an alarm', "update alarms set sent_at = now() + interval '1 day'"],
    ['a suspect', "update suspects set acknowledged_at = now() + interval '1 day', acknowledged_by = 'ann', reason = 'x'"],
    ['a suspect that nobody acknowledged', "update suspects set reason = 'x'"],
  ])('%s', async (_, edit) => {
    await query(db, "insert into alarms (id, body) values (gen_random_uuid(), '{}')")
    await query(db, "insert into suspects (account_id, events, first_event) values ('sa', 1, 1)")
    await over()
    await sign()
    expect(await faults()).toEqual([])
    await query(db, edit)
    expect(await faults()).toHaveLength(1)
  })
})

test('a checkpoint that is said to be of another time, and a newest one that was dropped, are found', async () => {
  await over()
  await sign()
  await query(db, "update checkpoints set taken_at = taken_at + interval '1 day'")
  expect(await faults()).toEqual(['checkpoint 1: its time was changed'])
  await query(db, 'delete from checkpoints')
  expect(await faults()).toEqual(['checkpoint 1 is not the one that was kept outside'])
})
