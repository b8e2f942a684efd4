import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import type { Signer } from '../../../src/audit/evidence/signer.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { prune, type Keep } from '../../../src/store/retention.ts'
import { endedRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const DAY_MS = 86_400_000
const NOTHING: Keep = { content: {}, metadata: {} }

let database: TestDatabase
let db: Db
let dir: string
let signer: Signer

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-removals-'))
  signer = signerOf(join(dir, 'evidence.key'))
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

/** A run that ended three days ago. */
const over = () => endedRun(db, '3 days', { output: { total: 42 } })

const remove = async (id: string, at = 'now()') => {
  await query(db, 'delete from runs where id = $1', [id])
  await query(db, `insert into pruned_runs (run_id, pruned_at) values ($1, ${at})`, [id])
}
const empty = (id: string) =>
  query(
    db,
    `with a as (update attempts set output = null, output_text = null, ending = null, mended = null, prompt = null, instructions = null where run_id = $1)
     update runs set input = 'null', output = null, output_text = null, ending = null, mended = '[]', pruned_at = now() where id = $1`,
    [id],
  )
const log = (time: string) => {
  const lines = Array.from({ length: 3 }, () => authorizeLine({ time, 'request-id': randomUUID() })).join('\n')
  return importLog(Readable.from([Buffer.from(lines)]), { db, paramsBytes: 100 })
}
const faults = async (keep?: Keep) => (await verifyStore(db, signer.publicKey, [], keep)).faults

describe('a removal that looks like retention’s, and that no retention explains, is found', () => {
  test.each<[string, Keep]>([
    ['although none is set', NOTHING],
    ['earlier than it is set', { content: {}, metadata: { succeeded: 4 * DAY_MS } }],
    ['that is set for other runs', { content: {}, metadata: { failed: 1 } }],
    ['that is set for content alone', { content: { succeeded: 1 }, metadata: {} }],
  ])('of a run, %s', async (_, keep) => {
    const id = await over()
    await takeCheckpoint(db, signer, { keep })
    await remove(id)
    expect(await faults(keep)).toEqual([`run ${id} of checkpoint 1 was removed, and no retention was set that removes it by then`])
  })

  test('of a run, at a time that is to come', async () => {
    const id = await over()
    await takeCheckpoint(db, signer, { keep: { content: {}, metadata: { succeeded: 4 * DAY_MS } } })
    await remove(id, "now() + interval '2 days'")
    expect(await faults()).toHaveLength(1)
  })

  test('of a run, with a note that is rewritten, or taken away, once its time has come', async () => {
    const keep = { content: {}, metadata: { succeeded: DAY_MS } }
    const id = await over()
    await takeCheckpoint(db, signer, { keep })
    await prune(db, keep)
    await takeCheckpoint(db, signer, { keep })
    expect(await faults()).toEqual([])
    await query(db, "update pruned_runs set pruned_at = now() - interval '1 hour'")
    expect(await faults()).toContain(`pruned_runs ${id} of checkpoint 2 was changed`)
    await query(db, 'delete from pruned_runs')
    expect(await faults()).toContain(`pruned_runs ${id} of checkpoint 2 is gone`)
  })

  test.each<[string, Keep]>([
    ['although none is set', { content: {}, metadata: { succeeded: 1 } }],
    ['earlier than it is set', { content: { succeeded: 4 * DAY_MS }, metadata: {} }],
  ])('of content, %s', async (_, keep) => {
    const id = await over()
    await takeCheckpoint(db, signer, { keep })
    await empty(id)
    expect(await faults(keep)).toEqual([`run ${id} of checkpoint 1 lost its content, and no retention was set that removes it`])
  })

  test.each<[string, Keep]>([
    ['although none is set', NOTHING],
    ['earlier than it is set', { ...NOTHING, log: 2 * DAY_MS }],
  ])('of lines of the log, %s', async (_, keep) => {
    await log(new Date(Date.now() - DAY_MS).toISOString())
    await takeCheckpoint(db, signer, { keep })
    await query(db, 'delete from authorize_events where id = 1')
    expect(await faults(keep)).toEqual(['lines 1 to 3 of the log of checkpoint 1 were changed, or removed before their time'])
  })

  test('of alarms, fires and suspects', async () => {
    await query(db, "insert into alarms (id, body, sent_at) values (gen_random_uuid(), '{}', now())")
    await query(db, "insert into fires (job, fire_at, status, reason) values ('work', now() - interval '1 day', 'skipped', 'paused')")
    await query(db, "insert into suspects (account_id, events, first_event, acknowledged_at) values ('sa', 1, 1, now())")
    const keep = { ...NOTHING, log: 2 * DAY_MS, fires: 2 * DAY_MS }
    await over()
    await takeCheckpoint(db, signer, { keep })
    for (const table of ['alarms', 'fires', 'suspects']) await query(db, `delete from ${table}`)
    const found = await faults(keep)
    expect(found).toHaveLength(3)
    for (const fault of found) expect(fault).toMatch(/^(?:alarms|fires|suspects) .* of checkpoint 1 is gone$/)
  })
})

test('a removal is explained by a retention that a checkpoint says, also once it is no more set, and by the one that is in force', async () => {
  const keep = { content: {}, metadata: { succeeded: DAY_MS }, log: DAY_MS, fires: DAY_MS }
  await log(new Date(Date.now() - 2 * DAY_MS).toISOString())
  await over()
  await takeCheckpoint(db, signer, { keep })
  await prune(db, keep)
  await takeCheckpoint(db, signer, { keep: NOTHING })
  expect(await verifyStore(db, signer.publicKey, [], NOTHING)).toMatchObject({ faults: [], pruned: 1, linesGone: 3 })
  await over()
  await takeCheckpoint(db, signer, { keep: NOTHING })
  const inForce = { content: { succeeded: 2 * DAY_MS }, metadata: {} }
  await prune(db, inForce)
  expect(await faults(inForce)).toEqual([])
  expect(await faults(NOTHING)).toHaveLength(1)
})

test('a retention that is another than the last checkpoint says is told by the next round, and not a day later', async () => {
  await over()
  const keep = { content: {}, metadata: { succeeded: DAY_MS } }
  expect(await takeCheckpoint(db, signer, { everyMs: DAY_MS, keep: NOTHING })).toMatchObject({ keep: { metadata: {} } })
  expect(await takeCheckpoint(db, signer, { everyMs: DAY_MS, keep: NOTHING })).toBeUndefined()
  expect(await takeCheckpoint(db, signer, { everyMs: DAY_MS, keep })).toMatchObject({ count: 0, keep: { metadata: { succeeded: DAY_MS } } })
  expect(await takeCheckpoint(db, signer, { everyMs: DAY_MS })).toBeUndefined()
})

test('a run whose content retention took before a checkpoint came is signed as it is left, and a change of it is found', async () => {
  const keep: Keep = { content: { succeeded: DAY_MS }, metadata: {} }
  const [id, other] = [await over(), await over()]
  expect(await prune(db, keep)).toMatchObject({ content: 2 })
  await takeCheckpoint(db, signer, { keep })
  expect(await verifyStore(db, signer.publicKey, [], keep)).toMatchObject({ runs: 2, pruned: 2, unsigned: 0, faults: [] })
  await query(db, "update attempts set worker = 'another' where run_id = $1", [id])
  await query(db, "update runs set output = '1' where id = $1", [other])
  expect((await verifyStore(db, signer.publicKey, [], keep)).faults).toHaveLength(2)
})

test('a run that retention emptied and that no checkpoint knows is counted as unsigned', async () => {
  await over()
  await prune(db, { content: { succeeded: DAY_MS }, metadata: {} })
  expect(await verifyStore(db, signer.publicKey, [], NOTHING)).toMatchObject({
    unsigned: 1,
    uncovered: { runs: 1, overdue: 1, oldest: { finishedAt: expect.stringMatching(/Z$/) } },
  })
})

test('a store in which more runs end in a day than a checkpoint holds catches up: the next one is not waited for', async () => {
  await query(db, `insert into job_versions (job, version, definition) values ('work', 'v1', '{}')`)
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account, attempts, created_at, started_at, finished_at)
     select 'run_' || i, 'work', 'v1', 'succeeded', '{"kind":"cli"}', '{}', 'reports', 0, at, at, at
     from (select i, now() - interval '1 day' + make_interval(secs => i) as at from generate_series(1, 2300) i) n`,
  )
  const taken = []
  for (let hour = 0; hour < 4; hour++) taken.push(await takeCheckpoint(db, signer, { keep: NOTHING, everyMs: DAY_MS, mostRuns: 1100 }))
  expect(taken.map((one) => one?.count)).toEqual([1100, 1100, undefined, undefined])
  expect(await faults(NOTHING)).toEqual([])
})
