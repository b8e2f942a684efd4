import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { exportBundle, verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { createSigningKey, readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { loadDefinitions, loadEvents } from '../../../src/store/audit/evidence.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { Readable } from 'node:stream'
import { buildTestApp, type TestApp } from '../../support/app/test-app.ts'
import { signerOf } from '../../support/evidence/signer.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Count the rows.
tools:
  labor: { allow: [query], repeatable: [query], minCalls: 0 }
`

let testApp: TestApp
let dir: string
let keyFile: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nightshift-evidence-'))
  keyFile = join(dir, 'evidence.key')
  testApp = await buildTestApp({
    jobs: { count: job },
    scripts: { scripted: 'call labor__query {"sql": "select count(*) as n from unemployment"}\nsay $1' },
  })
})

afterAll(async () => {
  await testApp[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

async function exported(): Promise<string> {
  const { id } = await testApp.run('count')
  await testApp.world.gateway.flushLog()
  const { db } = testApp.app
  await importLog(Readable.from([readFileSync(testApp.world.logFile)]), { db, paramsBytes: 100 })
  await matchEvents({ db, ours: () => [], expected: [], graceMs: 0 })
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  return exportBundle({ run, definitions: await loadDefinitions(db, id), events: await loadEvents(db, id) }, signerOf(keyFile))
}

test('an exported run holds its definition, prompt, calls and the lines of Pomerium’s log, and verifies with the public key alone', async () => {
  const bundle = await exported()
  const verdict = verifyBundle(Buffer.from(bundle), readPublicKey(`${keyFile}.pub`))
  expect(verdict).toMatchObject({ ok: true })
  const kinds = verdict.ok ? Map.groupBy(verdict.bundle.entries, ({ kind }) => kind) : new Map<string, unknown[]>()
  expect([...kinds.keys()].toSorted()).toEqual([
    'attempt', 'attemptEnded', 'authorizeEvent', 'definition', 'gatewayRequest', 'run', 'toolCall', 'turn',
  ]) // prettier-ignore
  expect(kinds.get('authorizeEvent')).toHaveLength(kinds.get('gatewayRequest')?.length ?? 0)
  expect(kinds.get('attempt')).toMatchObject([{ data: { prompt: expect.stringMatching(/\n\nCount the rows\.$/) } }])
})

test('a bundle of another key is not genuine', async () => {
  const bundle = await exported()
  createSigningKey(join(dir, 'other.key'))
  expect(verifyBundle(Buffer.from(bundle), readPublicKey(join(dir, 'other.key.pub')))).toMatchObject({
    ok: false,
    why: 'it was signed with another key',
  })
})

test('a row that is changed or deleted after a checkpoint is found, and so is a checkpoint that is not the one kept outside', async () => {
  const { db } = testApp.app
  const [first, second, third] = [await testApp.run('count'), await testApp.run('count'), await testApp.run('count')]
  await query(db, "update runs set finished_at = finished_at - interval '1 hour'")
  const key = signerOf(keyFile)
  const anchor = await takeCheckpoint(db, key)
  if (!anchor) throw new Error('there is no checkpoint')
  const publicKey = readPublicKey(`${keyFile}.pub`)
  const clean = await verifyStore(db, publicKey, [anchor])
  expect(clean).toMatchObject({ checkpoints: 1, faults: [] })
  expect(clean.intact).toBe(clean.runs)
  expect(await takeCheckpoint(db, key)).toBeUndefined()

  await query(db, 'update tool_calls set arguments = \'{"sql":"select 1"}\' where run_id = $1', [first.id])
  await query(db, 'delete from runs where id = $1', [second.id])
  await query(db, 'insert into pruned_runs (run_id) values ($1)', [third.id])
  const verdict = await verifyStore(db, publicKey, [{ ...anchor, hash: 'another' }])
  expect(verdict.faults).toEqual([
    `run ${first.id} of checkpoint 1 was changed`,
    `run ${second.id} of checkpoint 1 is gone`,
    `run ${third.id} of checkpoint 1 is there, and is said to be removed`,
    'checkpoint 1 is not the one that was kept outside',
  ])
})
