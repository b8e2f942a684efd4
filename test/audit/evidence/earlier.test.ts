import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runDigest } from '../../../src/audit/evidence/bundle.ts'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import type { Signer } from '../../../src/audit/evidence/signer.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { noUsage } from '../../../src/core/run.ts'
import { canonicalText, GENESIS, sha256Hex } from '../../../src/lib/hash/chain.ts'
import { digestRows, partsOf } from '../../../src/audit/evidence/rules/rows.ts'
import { loadRunRows } from '../../../src/store/audit/signed-rows.ts'
import { loadDefinitions, loadDocuments } from '../../../src/store/audit/evidence.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { signerOf } from '../../support/evidence/signer.ts'

async function over(db: Db): Promise<string> {
  const id = await writeRun(db)
  await finishRun(db, await opened(db, id), {
    status: 'succeeded', output: { total: 42 }, reasons: [], failure: null, usage: noUsage, costUsd: null, deliveries: [],
  }) // prettier-ignore
  await query(db, "update runs set finished_at = now() - interval '3 days' where id = $1", [id])
  return id
}

/** A checkpoint as programs of the version before take it: it names nothing before one that they cannot read. */
async function takeEarlier(db: Db, signer: Signer, id: string): Promise<void> {
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  const before = (await loadDocuments(db)).length
  const runs = [{ id, attempts: 1, digest: runDigest({ run, definitions: await loadDefinitions(db, id) }) }]
  const about = {
    format: 'nightshift-checkpoint/1',
    number: before + 1,
    takenAt: new Date().toISOString(),
    previous: before === 0 ? GENESIS : '',
    runs: sha256Hex(canonicalText(runs)),
    count: 1,
    publicKey: signer.publicKey,
  }
  const hash = sha256Hex(canonicalText(about))
  await query(db, 'insert into checkpoints (number, taken_at, runs, document) values ($1, now(), $2, $3)', [
    about.number,
    JSON.stringify(runs),
    JSON.stringify({ ...about, hash, signature: signer.sign(hash) }),
  ])
  await query(db, 'update runs set checkpointed_attempts = 1 where id = $1', [id])
}

test('checkpoints of the version before verify by their own rule, before those of now and beside them, and edits are found by it', async () => {
  await using database = await createTestDatabase()
  using stack = new DisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-earlier-')), (path) => rmSync(path, { recursive: true, force: true }))
  const { db } = database
  const signer = signerOf(join(dir, 'evidence.key'))
  const first = await over(db)
  await takeEarlier(db, signer, first)
  await over(db)
  expect(await takeCheckpoint(db, signer)).toMatchObject({ number: 2, gap: null })
  // During an upgrade a scheduler of the version before is still at work.
  await takeEarlier(db, signer, await over(db))
  await over(db)
  expect(await takeCheckpoint(db, signer)).toMatchObject({ number: 4, gap: null })
  expect(await verifyStore(db, signer.publicKey, [])).toMatchObject({ runs: 4, intact: 4, faults: [], gaps: [] })
  await query(db, `update runs set output_text = '"another"' where id = $1`, [first])
  expect((await verifyStore(db, signer.publicKey, [])).faults).toEqual([`run ${first} of checkpoint 1 was changed`])
})

/** A checkpoint as programs take it whose runs are signed by an earlier rule. */
async function takeBy(rule: 'runs/2' | 'runs/3', db: Db, signer: Signer, id: string): Promise<void> {
  const rows = (await loadRunRows(db, [id])).get(id)
  if (!rows) throw new Error('the run is gone')
  const [run = {}] = rows.tables['runs'] ?? []
  const digest = (value: unknown) => sha256Hex(canonicalText(value))
  const entry = digestRows(rows, 1)
  const signed =
    rule === 'runs/3'
      ? { ...entry, rule, kept: digest(partsOf(rows, { ...entry, rule }).kept) }
      : {
          rule,
          id,
          attempts: 1,
          conversation: 1,
          finishedAt: run['finished_at'],
          retryOf: null,
          open: {},
          ...Object.fromEntries(
            Object.entries(
              partsOf(rows, {
                rule,
                attempts: 1,
                open: {},
              }),
            ).map(([part, value]) => [part, digest(value)]),
          ),
        }
  const documents = await loadDocuments(db)
  const about = {
    format: 'nightshift-checkpoint/2',
    number: documents.length + 1,
    takenAt: new Date().toISOString(),
    previous: GENESIS,
    runs: digest([signed]),
    count: 1,
    lines: digest([]),
    linesTo: 0,
    introduces: [],
    retires: [],
    gap: null,
    publicKey: signer.publicKey,
  }
  const hash = digest(about)
  await query(db, 'insert into checkpoints (number, taken_at, runs, document) values ($1, now(), $2, $3)', [
    about.number,
    JSON.stringify([signed]),
    JSON.stringify({ ...about, hash, signature: signer.sign(hash) }),
  ])
  await query(db, 'update runs set checkpointed_attempts = 1 where id = $1', [id])
}

test('a checkpoint by the rule runs/2 verifies before those of now; a removal that it is about is believed, as it was', async () => {
  await using database = await createTestDatabase()
  using stack = new DisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-earlier-')), (path) => rmSync(path, { recursive: true, force: true }))
  const { db } = database
  const signer = signerOf(join(dir, 'evidence.key'))
  const [first, removed] = [await over(db), await over(db)]
  await takeBy('runs/2', db, signer, first)
  await over(db)
  expect(await takeCheckpoint(db, signer)).toMatchObject({ number: 2, count: 2 })
  expect(await verifyStore(db, signer.publicKey, [])).toMatchObject({ runs: 3, intact: 3, faults: [] })
  await query(db, 'update runs set cost_usd = 7 where id = $1', [first])
  expect((await verifyStore(db, signer.publicKey, [])).faults).toEqual([`run ${first} of checkpoint 1 was changed`])
  for (const id of [first, removed]) {
    await query(db, 'delete from runs where id = $1', [id])
    await query(db, 'insert into pruned_runs (run_id) values ($1)', [id])
  }
  expect((await verifyStore(db, signer.publicKey, [])).faults).toEqual([
    expect.stringContaining(`run ${removed} of checkpoint 2 was removed`),
  ])
})

test('a checkpoint by the rule runs/3 verifies, and says nothing of columns that came later', async () => {
  await using database = await createTestDatabase()
  using stack = new DisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-earlier-')), (path) => rmSync(path, { recursive: true, force: true }))
  const { db } = database
  const signer = signerOf(join(dir, 'evidence.key'))
  const [first, second] = [await over(db), await over(db)]
  for (const id of [first, second])
    await query(
      db,
      `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, output_tokens, started_at, finished_at)
       values ($1, 1, 1, '[]', 'end', 'm', 1, 1, now(), now())`,
      [id],
    )
  await takeBy('runs/3', db, signer, first)
  expect(await takeCheckpoint(db, signer)).toMatchObject({ number: 2, count: 1 })
  await query(db, "update turns set tier = 'flex'")
  expect((await verifyStore(db, signer.publicKey, [])).faults).toEqual([`run ${second} of checkpoint 2 was changed`])
  await query(db, 'update turns set tier = null')
  expect(await verifyStore(db, signer.publicKey, [])).toMatchObject({ runs: 2, intact: 2, faults: [] })
  await query(db, "update turns set model = 'another'")
  expect((await verifyStore(db, signer.publicKey, [])).faults).toEqual([
    `run ${first} of checkpoint 1 was changed`,
    `run ${second} of checkpoint 2 was changed`,
  ])
})

test('runs that ended days ago and are in no checkpoint are counted', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await over(db)
  expect(await verifyStore(db, 'none', [])).toMatchObject({ unsigned: 1 })
})
