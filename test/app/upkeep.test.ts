import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSigningKey } from '../../src/audit/evidence/keys.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { query } from '../../src/store/postgres/db.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], required: false }
`

/** A run of a month ago and an idempotency key of nine days ago: both are due. */
async function withOldRows(testApp: TestApp): Promise<void> {
  const { id } = await testApp.run('report')
  await query(testApp.app.db, "update runs set finished_at = now() - interval '30 days' where id = $1", [id])
  await query(
    testApp.app.db,
    "insert into idempotency_keys (owner, key, request_digest, run_id, created_at) values ('ann', $1, 'f', $1, now() - interval '9 days')",
    [id],
  )
}

const keys = ({ app }: TestApp) => query(app.db, 'select 1 from idempotency_keys')

test('a signing key that cannot be made costs the checkpoint alone: what is old is removed all the same', async () => {
  await using testApp = await buildTestApp({
    jobs: { report: job },
    scripts: { scripted: 'say done' },
    config: { retention: { metadata: { succeeded: '7d' } }, evidence: { keyFile: './locked/evidence.key' } },
  })
  // A file where its directory would be: nobody can write below it, root neither.
  writeFileSync(join(testApp.dir, 'locked'), '')
  await withOldRows(testApp)
  const { upkeep, db } = testApp.app
  await upkeep.start()
  await expect
    .poll(() => upkeep.duties.map((duty) => duty.state()))
    .toMatchObject([
      { name: 'checkpoint', failures: 1, succeededAgoMs: undefined },
      { name: 'retention', failures: 0, succeededAgoMs: expect.any(Number) },
      { name: 'idempotency-keys', failures: 0, succeededAgoMs: expect.any(Number) },
      { name: 'bad-rows', failures: 0, succeededAgoMs: expect.any(Number) },
      { name: 'log-silence', failures: 0, succeededAgoMs: expect.any(Number) },
    ])
  await upkeep.stop()
  expect(await listRuns(db, {}, { limit: 10 })).toEqual([])
  expect(await keys(testApp)).toEqual([])
  expect(testApp.log.filter((line) => line.includes('Upkeep of the store failed'))).toHaveLength(1)
})

test('stop ends a checkpoint that is under way, and leaves none', async () => {
  await using testApp = await buildTestApp({ jobs: { report: job }, scripts: { scripted: 'say done' } })
  await withOldRows(testApp)
  await withOldRows(testApp)
  const { upkeep, db, config } = testApp.app
  createSigningKey(config.evidence.keyFile)
  // Whoever reads the rows of the run waits.
  const blocker = await db.connect()
  await blocker.query('begin; lock table attempts in access exclusive mode')
  await upkeep.start()
  await expect.poll(() => query(db, "select 1 from pg_stat_activity where wait_event_type = 'Lock'")).not.toHaveLength(0)
  const stopped = upkeep.stop()
  await blocker.query('rollback')
  blocker.release()
  await stopped
  expect(await query(db, 'select 1 from checkpoints')).toEqual([])
})
