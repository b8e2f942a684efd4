import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import type { Signer } from '../../../src/audit/evidence/signer.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { noUsage } from '../../../src/core/run.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { someone } from '../../support/actor.ts'
import { endCancelled, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { signerOf } from '../../support/evidence/signer.ts'

let database: TestDatabase
let db: Db
let dir: string
let signer: Signer
let id: string

/** A run that failed, was signed, was retried, and was cancelled before a worker took it. */
beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-retried-'))
  signer = signerOf(join(dir, 'evidence.key'))
  id = await writeRun(db)
  const failure = { code: 'MODEL_UNAVAILABLE', message: 'away', retry: 'later' } as const
  await finishRun(db, await opened(db, id), { status: 'failed', reasons: [], failure, usage: noUsage, costUsd: null })
  await signed()
  await retryRuns(db, { ids: [id] }, [], someone())
  await endCancelled(db, id)
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

async function signed() {
  await query(db, "update runs set finished_at = finished_at - interval '1 hour'")
  return takeCheckpoint(db, signer)
}
const faults = async () => (await verifyStore(db, signer.publicKey, [])).faults

test('an end that comes after a retry without another attempt is signed too, and edits of it are found', async () => {
  expect(await faults()).toEqual([])
  expect(await signed()).toMatchObject({ number: 2, count: 1 })
  expect(await faults()).toEqual([])
  await query(db, "update runs set status = 'incomplete'")
  expect(await faults()).toEqual([`run ${id} of checkpoint 2 was changed`])
})

test.each([
  ['its end before, which was signed, is told otherwise', "update run_ends set status = 'cancelled'"],
  ['its end before is taken away', 'delete from run_ends'],
  ['the retry is said to have been something else', "update acts set act = 'cancel' where act = 'retry'"],
  ['somebody is said to have retried it besides', `insert into acts (id, act, actor, via, jobs) values ('${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}', 'retry', 'bob', 'cli', '{}'); insert into run_acts select run_id, '${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}', 1, 1 from run_acts limit 1`],
  ['the retry is said never to have been', "update runs set conversation = 1, status = 'failed'"],
])('of a run that went on since, it is found when %s', async (_, edit) => {
  await query(db, edit)
  expect(await faults()).toEqual([`run ${id} of checkpoint 1 was changed`])
}) // prettier-ignore
