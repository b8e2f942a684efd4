import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportBundle, verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { createSigningKey, readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { loadDefinitions } from '../../../src/store/audit/evidence.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

test('every change of a single byte of an exported run is found', { timeout: 300_000 }, async () => {
  using stack = new DisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-evidence-')), (path) => rmSync(path, { recursive: true, force: true }))
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { work: countingJob() },
    scripts: { scripted: 'call counting__act {"n": 1}\nsay $1' },
  })
  const { id } = await testApp.run('work')
  const { db } = testApp.app
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  const keyFile = join(dir, 'evidence.key')
  const bytes = Buffer.from(exportBundle({ run, definitions: await loadDefinitions(db, id), events: [] }, createSigningKey(keyFile)))
  const publicKey = readPublicKey(`${keyFile}.pub`)
  const missed: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    if (verifyBundle(changed, publicKey).ok) missed.push(at)
  }
  expect(missed).toEqual([])
  expect(verifyBundle(Buffer.concat([bytes, Buffer.from(' ')]), publicKey)).toMatchObject({ ok: false })
  expect(verifyBundle(bytes.subarray(0, -1), publicKey)).toMatchObject({ ok: false })
  expect(verifyBundle(bytes, publicKey)).toMatchObject({ ok: true })
})
