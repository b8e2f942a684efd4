import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { exportRun } from '../../../src/audit/evidence/files.ts'
import { verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { canonicalText, chainOf, headOf } from '../../../src/lib/hash/chain.ts'
import { createSigningKey, openSigningKey, readPublicKey } from '../../../src/audit/evidence/keys.ts'
import { keyIdOf } from '../../../src/lib/hash/public-key.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { someone } from '../../support/actor.ts'
import { endCancelled } from '../../support/database/attempts.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

/** The commands of the page, as they stand there. */
const COMMANDS = [...readFileSync('docs/verify-evidence.md', 'utf8').matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
)

let dir: string
let bundle: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nightshift-outside-'))
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { work: countingJob() },
    scripts: { scripted: 'call counting__act {"n": 1.5}\nsay Grüße, $1 \\u2713' },
  })
  const { db, producer } = testApp.app
  const id = await testApp.write('work')
  await endCancelled(db, id, someone({ reason: 'not now' }))
  await testApp.app.worker.start()
  await producer.wake(await retryRuns(db, { ids: [id] }, [], someone()))
  await testApp.finished(id)
  // Others are in the tree too.
  await query(db, `insert into runs (id, job, job_version, status, trigger, input, account, attempts, finished_at)
    select 'run_' || n, job, job_version, status, trigger, input, account, 0, finished_at from runs, generate_series(1, 5) n`) // prettier-ignore
  await query(db, "update runs set finished_at = finished_at - interval '1 hour'")
  createSigningKey(join(dir, 'other.key'))
  await takeCheckpoint(db, signerOf(join(dir, 'evidence.key')))
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  const { text, unproved } = await exportRun(db, run, join(dir, 'evidence.key'))
  expect(unproved).toBeUndefined()
  bundle = text
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

const bundleSchema = z.looseObject({ entries: z.array(z.looseObject({ kind: z.string(), data: z.unknown() })) })

/** What each command ends with, in a directory that holds the bundle and the key alone. */
function walk(text: string, key = 'evidence.key.pub', commands = COMMANDS): { codes: (number | null)[]; out: string } {
  const place = mkdtempSync(join(dir, 'walk-'))
  copyFileSync(join(dir, key), join(place, 'evidence.key.pub'))
  writeFileSync(join(place, 'run.json'), text)
  const ran = commands.map((line) => spawnSync('bash', ['-c', line], { cwd: place, encoding: 'utf8', timeout: 60_000 }))
  return { codes: ran.map(({ status }) => status), out: ran.map(({ stdout }) => stdout).join('') }
}

test('the page’s commands, run as they stand there, find a genuine bundle genuine', () => {
  expect(COMMANDS.length).toBeGreaterThan(8)
  const { codes, out } = walk(bundle)
  expect(codes).toEqual(COMMANDS.map(() => 0))
  for (const part of ['"act":"retry"', '"act":"cancel"', '"reason":"not now"', '"status":"cancelled"']) expect(out).toContain(part)
  expect(out).toContain(keyIdOf(readPublicKey(join(dir, 'evidence.key.pub'))))
})

test.each([
  ['a word of the prompt', (text: string) => text.replace('"kind":"turn"', '"kind":"Turn"')],
  ['a number', (text: string) => text.replace(/"durationMs":[\d.]+/, '"durationMs":1')],
  ['the head', (text: string) => text.replace(/"exportedAt":"2/, '"exportedAt":"1')],
  ['the signature', (text: string) => text.replace(/"signature":"(.)/, (_, first) => `"signature":"${first === 'A' ? 'B' : 'A'}`)],
  [
    'an entry that is left out',
    (text: string) => {
      const { entries, ...about } = z.looseObject({ entries: z.array(z.unknown()) }).parse(JSON.parse(text))
      return JSON.stringify({ ...about, entries: entries.slice(0, -1) })
    },
  ],
])('they find a bundle that was changed: %s', (_, change) => {
  expect(change(bundle)).not.toBe(bundle)
  expect(walk(change(bundle)).codes.some((code) => code !== 0)).toBe(true)
})

test('they find a bundle whose proof was changed by whoever holds its key', () => {
  const { entries, signature: _, ...about } = bundleSchema.parse(JSON.parse(bundle))
  const key = openSigningKey(join(dir, 'evidence.key'))
  const ofProof = COMMANDS.slice(COMMANDS.findIndex((line) => line.includes('proof.json')))
  const changes: Record<string, (proof: string) => string> = {
    'a row': (proof) => proof.replace('"worker":"', '"worker":"another'),
    content: (proof) => proof.replace('Gr', 'gr'),
    'the way': (proof) => proof.replace(/"left":"../, '"left":"00').replace(/"right":"../, '"right":"00'),
    'the root': (proof) => proof.replace(/"root":"../, '"root":"00'),
    'the checkpoint': (proof) => proof.replace(/"takenAt":"2/, '"takenAt":"1'),
  }
  for (const [what, change] of Object.entries(changes)) {
    const items = entries.map(({ kind, data }) => ({ kind, data: kind === 'inclusion' ? JSON.parse(change(JSON.stringify(data))) : data }))
    expect(items, what).not.toEqual(entries.map(({ kind, data }) => ({ kind, data })))
    const chained = chainOf(items)
    const head = { ...about, head: headOf(chained) }
    const text = `${canonicalText({ ...head, signature: key.sign(canonicalText(head)), entries: chained })}\n`
    expect(verifyBundle(Buffer.from(text), key.publicKey), what).toMatchObject({ ok: false, why: expect.stringMatching(/proof/) })
    expect(
      walk(text, 'evidence.key.pub', ofProof).codes.some((code) => code !== 0),
      what,
    ).toBe(true)
  }
})

test.each([
  ['another answer', 'attemptEnded', (text: string) => text.replace('Grüße', 'grüße')],
  ['other arguments', 'toolCall', (text: string) => text.replace('1.5', '2.5')],
  ['another end of an attempt', 'attemptEnded', (text: string) => text.replace('"status":"succeeded"', '"status":"failed"')],
  ['another definition', 'definition', (text: string) => text.replace('"account"', '"Account"')],
  ['another time', 'attempt', (text: string) => text.replace(/"startedAt":"2/, '"startedAt":"1')],
  ['a request to another host', 'gatewayRequest', (text: string) => text.replace('"host":"', '"host":"x')],
])('whoever holds its key cannot say otherwise beside a genuine proof: %s', (_, kind, change) => {
  const { entries, signature: _signature, ...about } = bundleSchema.parse(JSON.parse(bundle))
  const key = openSigningKey(join(dir, 'evidence.key'))
  const items = entries.map((entry) => ({
    kind: entry.kind,
    data: entry.kind === kind ? JSON.parse(change(JSON.stringify(entry.data))) : entry.data,
  }))
  expect(items).not.toEqual(entries.map((entry) => ({ kind: entry.kind, data: entry.data })))
  const chained = chainOf(items)
  const head = { ...about, head: headOf(chained) }
  const text = `${canonicalText({ ...head, signature: key.sign(canonicalText(head)), entries: chained })}\n`
  expect(verifyBundle(Buffer.from(text), key.publicKey)).toMatchObject({
    ok: false,
    why: expect.stringMatching(new RegExp(`^its proof says otherwise than ${kind} `)),
  })
})

test('a genuine bundle is proved', () => {
  expect(verifyBundle(Buffer.from(bundle), readPublicKey(join(dir, 'evidence.key.pub')))).toMatchObject({
    ok: true,
    provenIn: [{ number: 1 }],
  })
})

test('they find one that another key signed', () => {
  expect(walk(bundle, 'other.key.pub').codes.filter((code) => code !== 0)).not.toHaveLength(0)
})
