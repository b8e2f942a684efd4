import { mkdtempSync, rmSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { noUsage } from '../../../src/core/run.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { prune } from '../../../src/store/retention.ts'
import { finishRun } from '../../../src/store/runs/finish.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { someone } from '../../support/actor.ts'
import { endCancelled, opened, writeRun } from '../../support/database/attempts.ts'
import { createOwnBackups, startSystemPostgres, systemPostgres, type DumpingServer } from '../../support/database/backup.ts'
import { proofOf } from '../../support/evidence/proof.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const KEEP = { content: { cancelled: 1 }, metadata: { failed: 1 } }

async function over(db: Db, status: 'succeeded' | 'failed' = 'succeeded'): Promise<string> {
  const id = await writeRun(db, { input: { text: '„Grüße“ \t\\ \u0001', number: 0.1 } })
  const failure = status === 'failed' ? ({ code: 'MODEL_UNAVAILABLE', message: 'away', retry: 'later' } as const) : null
  await finishRun(db, await opened(db, id), { status, output: { total: 1 / 3 }, outputText: 'a\nb\\', reasons: [], failure, usage: noUsage, costUsd: 1 / 3 }) // prettier-ignore
  return id
}

/** Something in every table that is signed. */
async function work(db: Db): Promise<string> {
  const id = await over(db)
  const failed = await over(db, 'failed')
  const gone = await over(db, 'failed')
  await retryRuns(db, { ids: [failed] }, [], someone({ reason: 'a\\b\n{"c"}' }))
  await endCancelled(db, failed)
  await query(db, "update runs set finished_at = now() - interval '1 hour' where id = any($1)", [[id, failed, gone]])
  await prune(db, { ...KEEP, content: {} })
  await query(db, "insert into fires (job, fire_at, status, reason) values ('work', now(), 'skipped', 'paused')")
  await query(db, `insert into alarms (id, body) values (gen_random_uuid(), '{"a":  "\\u00e9"}')`)
  await query(db, "insert into suspects (account_id, events, first_event) values ('sa', 1, 1) on conflict do nothing")
  const line = authorizeLine({ time: new Date().toISOString(), 'request-id': randomUUID() })
  await importLog(Readable.from([Buffer.from(line)]), { db, paramsBytes: 100 })
  return id
}

async function putBack(start: () => Promise<DumpingServer>): Promise<void> {
  await using server = await start()
  using stack = new DisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-restored-')), (path) => rmSync(path, { recursive: true, force: true }))
  const signer = signerOf(join(dir, 'evidence.key'))
  const verify = (db: Db, anchors: Parameters<typeof verifyStore>[2] = []) => verifyStore(db, signer.publicKey, anchors, KEEP)
  const db = await server.create()
  const id = await work(db)
  const first = await takeCheckpoint(db, signer, { keep: KEEP })
  expect(first).toMatchObject({ number: 1, count: 2 })
  expect(await verify(db)).toMatchObject({ runs: 2, records: 6, faults: [] })
  await prune(db, KEEP)
  expect(await verify(db)).toMatchObject({ intact: 1, pruned: 1, faults: [] })
  const older = await server.dump(db)

  await work(db)
  const second = await takeCheckpoint(db, signer, { keep: KEEP })
  if (!first || !second) throw new Error('there is no checkpoint')
  const newest = await server.restore(await server.dump(db))
  expect(await verify(newest, [first, second])).toMatchObject(await verify(db))
  expect(await verify(newest, [first, second])).toMatchObject({ checkpoints: 2, runs: 4, faults: [], gaps: [] })
  expect(await proofOf(newest, id)).toEqual(await proofOf(db, id))

  // It goes on where the other store stopped.
  await work(newest)
  expect(await takeCheckpoint(newest, signer, { keep: KEEP })).toMatchObject({ number: 3, previous: second.hash, gap: null })
  expect((await verify(newest, [first, second])).faults).toEqual([])

  const back = await server.restore(older)
  expect((await verify(back, [first])).faults).toEqual([])
  expect((await verify(back, [second])).faults).toEqual(['checkpoint 2 is not the one that was kept outside'])
  await work(back)
  await expect(takeCheckpoint(back, signer, { keep: KEEP })).rejects.toMatchObject({
    code: 'EVIDENCE_GAP',
    message: expect.stringMatching(/last was checkpoint 3 .* which the store does not have; its newest is checkpoint 1 /),
    cure: expect.stringContaining('--accept-gap'),
  })
  const gap = { acceptedBy: 'ann', reason: 'put back from Tuesday’s backup' }
  expect(await takeCheckpoint(back, signer, { keep: KEEP, gap })).toMatchObject({
    number: 4,
    gap: { remembered: { number: 3 }, found: { number: 1 } },
  })
  expect(await verify(back, [second])).toMatchObject({
    faults: [],
    gaps: [expect.stringContaining('Tuesday'), expect.stringContaining('lost before 4')],
  })

  await query(back, "update runs set requested_by = 'bob' where id = $1", [id])
  expect((await verify(back)).faults).toEqual([`run ${id} of checkpoint 1 was changed`])
}

test('a store that was put back verifies, and an older backup of it is a gap with its cure: nightshift backup and restore', () =>
  putBack(async () => createOwnBackups()))

const installed = systemPostgres() ?? ''

test.skipIf(installed === '')(
  'a store that was put back verifies, and an older backup of it is a gap with its cure: pg_dump and pg_restore',
  { timeout: 120_000 },
  () => putBack(() => startSystemPostgres(installed)),
)
