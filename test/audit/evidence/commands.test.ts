import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCheckpoint } from '../../../src/audit/evidence/chain.ts'
import { takeCheckpoint } from '../../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { exportBundle, verifyBundle } from '../../../src/audit/evidence/bundle.ts'
import { canonicalText } from '../../../src/lib/hash/chain.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { loadDefinitions } from '../../../src/store/audit/evidence.ts'
import { prune, type Keep } from '../../../src/store/retention.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { command } from '../../support/cli/command.ts'
import { buildTestApp, type TestApp } from '../../support/app/test-app.ts'
import { signerOf } from '../../support/evidence/signer.ts'
import { someone } from '../../support/actor.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Count the rows. {{ run_id }}
tools:
  labor: { allow: [query], repeatable: [query] }
`
const wrong = job.replace('scripted', 'wrong')

let testApp: TestApp
let dir: string
let at: string[]
let keyFile: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nightshift-evidence-'))
  keyFile = join(dir, 'keys', 'evidence.key')
  testApp = await buildTestApp({
    jobs: { count: job, wrong },
    scripts: {
      scripted: 'call labor__query {"sql": "select count(*) as n from unemployment"}\nsay $1',
      wrong: 'always fail 401 invalid_api_key',
    },
    // One run at a time: what was queued first is over when the next one is.
    config: { evidence: { keyFile: keyFile }, worker: { concurrency: 1 } },
  })
  at = ['-c', testApp.world.configFile, 'evidence']
  signerOf(keyFile)
})

afterAll(async () => {
  await testApp[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const settle = () =>
  query(testApp.app.db, "update runs set finished_at = finished_at - interval '1 hour' where finished_at > now() - interval '30 minutes'")
const verifyAll = (anchors: Parameters<typeof verifyStore>[2] = [], keep?: Keep) =>
  verifyStore(testApp.app.db, signerOf(keyFile).publicKey, anchors, keep)

async function exported(): Promise<{ file: string; id: string }> {
  const { id } = await testApp.run('count')
  const file = join(dir, `${id}.json`)
  const said = await command([...at, 'export', id, '--out', file])
  expect(said).toMatchObject({ code: 0, err: 'Without a proof by a checkpoint: no checkpoint has the run as it stands yet.' })
  expect(said.out).toContain(`evidence verify ${file} --key ${keyFile}.pub`)
  return { file, id }
}

describe('nightshift evidence', () => {
  test('the private key and what was exported are readable by their owner alone, the public key by whom the umask allows', async () => {
    const { file } = await exported()
    const modes = [keyFile, file, `${keyFile}.pub`].map((name) => (statSync(name).mode & 0o777).toString(8))
    expect(modes).toEqual(['600', '600', (0o644 & ~process.umask()).toString(8)])
    expect(readFileSync(file, 'utf8')).not.toContain('PRIVATE')
  })

  test('verify needs no configuration with --key, and ends with 0, 3 or 2', async () => {
    const { file, id } = await exported()
    const key = ['--key', `${keyFile}.pub`]
    const good = await command(['evidence', 'verify', file, ...key])
    expect(good).toMatchObject({ code: 0, err: '' })
    for (const part of ['genuine and whole', id, '1 toolCall', 'does not prove']) expect(good.out).toContain(part)
    expect(JSON.parse((await command(['evidence', 'verify', file, ...key, '--json'])).out)).toMatchObject({ ok: true, run: id })
    const changed = join(dir, 'changed.json')
    writeFileSync(changed, readFileSync(file, 'utf8').replace('Count', 'count'))
    const bad = await command(['evidence', 'verify', changed, ...key])
    expect(bad.code).toBe(3)
    expect(bad.out).toContain('not genuine')
    expect(await command(['evidence', 'verify', join(dir, 'nowhere'), ...key])).toMatchObject({ code: 2, out: '' })
    expect(await command(['evidence', 'verify', file, '--key', join(dir, 'nowhere.pub')])).toMatchObject({ code: 2, out: '' })
    expect(await command(['evidence', 'verify', file, '--key', file])).toMatchObject({ code: 2, out: '' })
    expect(await command([...at, 'verify'])).toMatchObject({ code: 2, out: '' })
    expect(await command([...at, 'verify', file, '--store'])).toMatchObject({ code: 2, out: '' })
    expect(await command([...at, 'verify', file])).toMatchObject({ code: 0 })
    expect(await command([...at, 'export', 'run_nowhere'])).toMatchObject({ out: '' })
  })

  test('an export has a proof by the checkpoint that has the run, which is compared with one that was kept outside', async () => {
    const { id } = await testApp.run('count')
    await settle()
    const [anchor, other] = [join(dir, 'proof.json'), join(dir, 'other.json')]
    await command([...at, 'checkpoint', '--out', anchor])
    const file = join(dir, 'proved.json')
    expect(await command([...at, 'export', id, '--out', file])).toMatchObject({ code: 0, err: '' })
    const verify = ['evidence', 'verify', file, '--key', `${keyFile}.pub`]
    const { number } = parseCheckpoint(readFileSync(anchor, 'utf8'))
    expect(JSON.parse((await command([...verify, '--json'])).out)).toMatchObject({ ok: true, provenIn: [{ number }] })
    expect(await command([...verify, '--anchor', anchor])).toMatchObject({
      code: 0,
      out: expect.stringContaining(`in checkpoint ${number} (`),
    })
    await testApp.run('count')
    await settle()
    await command([...at, 'checkpoint', '--out', other])
    expect(await command([...verify, '--anchor', other])).toMatchObject({ code: 3, out: expect.stringContaining('kept outside') })
    await query(testApp.app.db, "update attempts set worker = 'another' where run_id = $1", [id])
    expect(await command([...at, 'export', id, '--out', file])).toMatchObject({
      err: expect.stringContaining(`is not as checkpoint ${number} says`),
    })
    await query(testApp.app.db, 'delete from runs where id = $1', [id])
    await query(testApp.app.db, 'delete from checkpoints where number >= $1', [number])
    await query(testApp.app.db, 'update runs set checkpointed_attempts = null')
    rmSync(`${keyFile}.last`)
  })

  test('what export writes to stdout verifies when it is kept', async () => {
    const { id } = await testApp.run('count')
    const { out } = await command([...at, 'export', id])
    const file = join(dir, 'stdout.json')
    writeFileSync(file, `${out}\n`)
    expect(await command([...at, 'verify', file])).toMatchObject({ code: 0 })
  })

  test('a checkpoint that was kept finds a store that was rewritten: exit code 3', async () => {
    const { id } = await testApp.run('count')
    await settle()
    const anchor = join(dir, 'anchor.json')
    expect(await command([...at, 'checkpoint', '--out', anchor])).toMatchObject({ code: 0 })
    const verify = [...at, 'verify', '--store', '--anchor', anchor]
    expect(await command(verify)).toMatchObject({ code: 0 })
    expect((await command([...at, 'checkpoint'])).err).toContain('No run has ended since')
    await query(testApp.app.db, 'update runs set output_text = \'"another"\' where id = $1', [id])
    const found = await command(verify)
    expect(found.code).toBe(3)
    expect(found.out).toContain(`run ${id} of checkpoint`)
    await query(testApp.app.db, 'delete from checkpoints')
    await query(testApp.app.db, 'update runs set checkpointed_attempts = null')
    expect(await command([...at, 'checkpoint'])).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(/^EVIDENCE_GAP Nothing is signed: .*--accept-gap/),
    })
    expect(await command(verify)).toMatchObject({ code: 3, out: expect.stringContaining('is not the one that was kept outside') })
    expect(await command([...at, 'checkpoint', '--accept-gap', 'a test', '--out', join(dir, 'after.json')])).toMatchObject({ code: 0 })
    const accepted = await command(verify)
    expect(accepted.out).toContain('goes on after a gap')
    expect(accepted.out).toContain('a test')
    expect(await command([...at, 'verify', '--store', '--anchor', `${keyFile}.pub`])).toMatchObject({ code: 2 })
  })
})

test('a run that is retried keeps what an earlier checkpoint says of it, and is in the next one too', async () => {
  const { db } = testApp.app
  const failed = await testApp.run('wrong')
  expect(failed.status).toBe('failed')
  await settle()
  const key = signerOf(keyFile)
  const first = await takeCheckpoint(db, key)
  const woken = await retryRuns(db, { ids: [failed.id] }, [], someone())
  expect(woken).toHaveLength(1)
  expect((await verifyAll(first ? [first] : [])).faults).toEqual([])
  await testApp.app.producer.wake(woken)
  await testApp.run('count')
  expect((await loadRun(db, failed.id))?.attempts).toMatchObject([{ status: 'failed' }, { status: 'failed' }])
  await settle()
  const second = await takeCheckpoint(db, key)
  expect(second?.count).toBe(2)
  expect((await verifyAll([first, second].flatMap((one) => (one ? [one] : [])))).faults).toEqual([])
})

test('content that retention took out is pruned, not tampered with', async () => {
  const { db } = testApp.app
  const { id } = await testApp.run('count')
  await settle()
  await takeCheckpoint(db, signerOf(keyFile))
  const keep = { content: { succeeded: 1 }, metadata: { succeeded: 1 } }
  const before = await verifyAll()
  await prune(db, { ...keep, metadata: {} })
  const after = await verifyAll([], keep)
  expect(after.faults).toEqual([])
  expect(after.pruned).toBeGreaterThan(before.pruned)
  await prune(db, keep)
  expect(await loadRun(db, id)).toBeUndefined()
  expect((await verifyAll([], keep)).faults).toEqual([])
})

describe('a bundle that was put together anew', () => {
  async function bundle(): Promise<{ publicKey: string; content: Record<string, unknown> & { entries: Record<string, unknown>[] } }> {
    const { id } = await testApp.run('count')
    const run = await loadRun(testApp.app.db, id)
    if (!run) throw new Error('the run is gone')
    const key = signerOf(keyFile)
    const text = exportBundle({ run, definitions: await loadDefinitions(testApp.app.db, id), events: [] }, key)
    const verdict = verifyBundle(Buffer.from(text), key.publicKey)
    if (!verdict.ok) throw new Error(verdict.why)
    return { publicKey: key.publicKey, content: { ...verdict.bundle, entries: verdict.bundle.entries.map((entry) => ({ ...entry })) } }
  }
  const verdictOf = (content: unknown, publicKey: string) => verifyBundle(Buffer.from(`${canonicalText(content)}\n`), publicKey)

  test.each<[string, (entries: Record<string, unknown>[]) => Record<string, unknown>[]]>([
    ['with two entries exchanged', ([a = {}, b = {}, ...rest]) => [b, a, ...rest]],
    ['with two entries exchanged and renumbered', ([a = {}, b = {}, ...rest]) => [{ ...b, seq: 0 }, { ...a, seq: 1 }, ...rest]],
    ['without its first entry', (entries) => entries.slice(1)],
    ['without its last entry', (entries) => entries.slice(0, -1)],
    ['without any', () => []],
    ['with its last entry twice', (entries) => [...entries, entries.at(-1) ?? {}]],
    ['with an entry of another kind', ([a = {}, ...rest]) => [{ ...a, kind: 'other' }, ...rest]],
    ['with other data', ([a = {}, ...rest]) => [{ ...a, data: {} }, ...rest]],
  ])('%s is not genuine', async (_, change) => {
    const { publicKey, content } = await bundle()
    expect(verdictOf(content, publicKey).ok).toBe(true)
    expect(verdictOf({ ...content, entries: change(content.entries) }, publicKey).ok).toBe(false)
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another document', '{"format":"nightshift-evidence/1"}'],
    ['lists in lists without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ])('%s is not genuine', async (_, text) => {
    expect(verifyBundle(Buffer.from(text), signerOf(keyFile).publicKey).ok).toBe(false)
  })

  test.each([['1e999'], ['"\\ud800"'], [`${'['.repeat(100_000)}${']'.repeat(100_000)}`]])(
    'nor is one with a value that JSON can hold and we do not write',
    async (value) => {
      const { publicKey, content } = await bundle()
      const text = canonicalText({ ...content, entries: [{ ...content.entries[0], data: 'HERE' }] }).replace('"HERE"', value)
      expect(verifyBundle(Buffer.from(`${text}\n`), publicKey)).toMatchObject({ ok: false })
    },
  )
})
