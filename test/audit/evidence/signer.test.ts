import { createPrivateKey } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeCheckpoint, type CheckpointOptions } from '../../../src/audit/evidence/checkpoint.ts'
import { exportRun } from '../../../src/audit/evidence/files.ts'
import { createSigningKey, openSigningKey, readPublicKey, signingKeyTexts } from '../../../src/audit/evidence/keys.ts'
import { readMemory, writeMemory } from '../../../src/audit/evidence/memory.ts'
import { changeKeys, createKey, rotateKey } from '../../../src/audit/evidence/rotation.ts'
import { openSigner } from '../../../src/audit/evidence/signer.ts'
import { verifyStore } from '../../../src/audit/evidence/verify.ts'
import { keyIdOf } from '../../../src/lib/hash/public-key.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { dumpDatabase } from '../../support/database/dump.ts'
import { endedRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { signerFiles, signerOf } from '../../support/evidence/signer.ts'

let database: TestDatabase
let db: Db
let dir: string
let keyFile: string

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  dir = mkdtempSync(join(tmpdir(), 'nightshift-signer-'))
  keyFile = join(dir, 'evidence.key')
})

afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

/** A run that ended an hour ago. */
const over = () => endedRun(db, '1 hour', { output: { total: 42 } })

async function sealed(options: CheckpointOptions = {}, file = keyFile) {
  await over()
  const taken = await takeCheckpoint(db, signerOf(file), options)
  if (!taken) throw new Error('there is no checkpoint')
  return taken
}

const verify = (file = keyFile, anchors: Parameters<typeof verifyStore>[2] = []) => verifyStore(db, readPublicKey(`${file}.pub`), anchors)
const GAP = { code: 'EVIDENCE_GAP', message: expect.stringMatching(/^Nothing is signed: /) }
const accepted = { gap: { acceptedBy: 'ann', reason: 'put back from Tuesday’s backup' } }

describe('a signer remembers what it signed, and does not sign over', () => {
  test.each([
    ['all checkpoints dropped', 'delete from checkpoints'],
    ['the newest one dropped', 'delete from checkpoints where number = 3'],
    ['one of another number in its place', 'update checkpoints set number = 4 where number = 3'],
    ['one that was changed', `update checkpoints set document = json_build_object('format', 'none') where number = 3`],
    ['one with another hash', `update checkpoints set document = jsonb_set(document::jsonb, '{hash}', '"00"')::json where number = 3`],
  ])('%s', async (_, edit) => {
    for (let n = 0; n < 3; n++) await sealed()
    await query(db, edit)
    await query(db, 'update runs set checkpointed_attempts = null')
    await expect(takeCheckpoint(db, signerOf(keyFile))).rejects.toMatchObject(GAP)
  })

  test('an older state of the store, until a person says why, which every verification shows for ever', async () => {
    await sealed()
    const lost = [await sealed(), await sealed()]
    await query(
      db,
      "delete from runs where checkpointed_attempts is not null and id in (select runs -> 0 ->> 'id' from checkpoints where number > 1)",
    )
    await query(db, 'delete from checkpoints where number > 1')
    await expect(sealed()).rejects.toMatchObject(GAP)
    expect(await takeCheckpoint(db, signerOf(keyFile), accepted)).toMatchObject({
      number: 4,
      gap: { remembered: { number: 3, hash: lost[1]?.hash }, found: { number: 1 }, acceptedBy: 'ann' },
    })
    await sealed()
    const { faults, gaps } = await verify(keyFile, lost)
    expect(faults).toEqual([])
    expect(gaps[0]).toMatch(/^checkpoint 4 goes on after a gap: .*Accepted by ann: put back from Tuesday’s backup$/)
    expect(gaps.slice(1)).toEqual([2, 3].map((n) => `checkpoint ${n}, which was kept outside, is one of those that are lost before 4`))
  })

  test('one that is dropped in the middle is found by verifying', async () => {
    for (let n = 0; n < 3; n++) await sealed()
    await query(db, 'delete from checkpoints where number = 2')
    expect((await verify()).faults).toEqual(['checkpoint 3: checkpoints are missing before it'])
  })

  test('a gap that is accepted where there is none is none', async () => {
    await sealed()
    expect(await sealed(accepted)).toMatchObject({ number: 2, gap: null })
    expect(await takeCheckpoint(db, signerOf(keyFile), accepted)).toBeUndefined()
  })
})

test('whoever reads the store, and the bundles and checkpoints that left it, finds nothing there by which he could sign', async () => {
  const id = await over()
  const taken = await takeCheckpoint(db, signerOf(keyFile), { sends: true, keep: { content: {}, metadata: {} } })
  const run = await loadRun(db, id)
  if (!run) throw new Error('the run is gone')
  const { text } = await exportRun(db, run, keyFile)
  const found = [await dumpDatabase(db), text, JSON.stringify(taken)].join('\n')
  const seed = createPrivateKey(readFileSync(keyFile)).export({ type: 'pkcs8', format: 'der' }).subarray(-32)
  const spelt = [
    ...signingKeyTexts(keyFile),
    seed.toString('hex'),
    seed.toString('base64').slice(0, 40),
    seed.toString('base64url').slice(0, 40),
  ]
  for (const secret of spelt) expect(found).not.toContain(secret)
  expect(found).toContain(signerOf(keyFile).publicKey)
})

describe('a crash between what is remembered and what is kept', () => {
  test('loses a checkpoint that nobody was told of, and is no gap', async () => {
    const first = await sealed()
    const refused = "create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$"
    await query(db, refused)
    await query(db, 'create trigger refuse before insert on checkpoints for each row execute function refuse()')
    await expect(sealed()).rejects.toThrow('full')
    expect(readMemory(`${keyFile}.last`)).toMatchObject({ last: { number: 1, hash: first.hash }, next: { number: 2 } })
    await query(db, 'drop trigger refuse on checkpoints')
    expect(await takeCheckpoint(db, signerOf(keyFile))).toMatchObject({ number: 2, previous: first.hash, gap: null })
    expect(await verify()).toMatchObject({ faults: [], gaps: [] })
  })

  test('after the store had it, it counts as kept from the next look on', async () => {
    const first = await sealed()
    const second = await sealed()
    writeMemory(`${keyFile}.last`, { last: { number: 1, hash: first.hash }, next: { number: 2, hash: second.hash } })
    expect(await takeCheckpoint(db, signerOf(keyFile))).toBeUndefined()
    expect(readMemory(`${keyFile}.last`)).toEqual({ last: { number: 2, hash: second.hash }, next: null })
  })

  test('what cannot be remembered is not signed', async () => {
    const files = { ...signerFiles(keyFile), memoryFile: join(dir, 'nowhere', 'last') }
    createSigningKey(keyFile)
    await over()
    await expect(takeCheckpoint(db, openSigner(files))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      cure: expect.stringContaining('memoryFile'),
    })
    expect(await query(db, 'select 1 from checkpoints')).toEqual([])
    writeFileSync(`${keyFile}.last`, 'half')
    await expect(takeCheckpoint(db, openSigner(signerFiles(keyFile)))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('keys', () => {
  test('nothing makes a key on the way, and none is made over another', () => {
    expect(() => openSigningKey(keyFile)).toThrow(expect.objectContaining({ cure: expect.stringContaining('evidence key create') }))
    expect(existsSync(keyFile)).toBe(false)
    createKey(signerFiles(keyFile))
    const made = readFileSync(keyFile, 'utf8')
    expect(() => createKey(signerFiles(keyFile))).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }))
    expect(readFileSync(keyFile, 'utf8')).toBe(made)
  })

  test('a rotated key follows from the old one, for whoever trusts either; the old one signs no more', async () => {
    await sealed()
    const old = readFileSync(keyFile)
    const { id, oldPublicKeyFile } = await rotateKey(db, signerFiles(keyFile), undefined)
    await sealed()
    expect(id).toBe(keyIdOf(readPublicKey(`${keyFile}.pub`)))
    expect(await verify()).toMatchObject({ checkpoints: 4, faults: [], gaps: [] })
    expect(await verifyStore(db, readPublicKey(oldPublicKeyFile), [])).toMatchObject({ checkpoints: 4, faults: [] })
    const copy = join(dir, 'copy.key')
    writeFileSync(copy, old)
    await expect(takeCheckpoint(db, openSigner(signerFiles(copy)), { keys: { introduces: [], retires: [] } })).rejects.toMatchObject(GAP)
  })

  test('a rotation that was cut off after its link goes on with the same key', async () => {
    await sealed()
    const made = createSigningKey(`${keyFile}.next`)
    const old = signerOf(keyFile)
    await takeCheckpoint(db, old, { keys: { introduces: [made.publicKey], retires: [old.publicKey] } })
    expect(await rotateKey(db, signerFiles(keyFile), undefined)).toMatchObject({ publicKey: made.publicKey })
    expect(existsSync(`${keyFile}.next`)).toBe(false)
    expect(await verify()).toMatchObject({ checkpoints: 3, faults: [] })
  })

  test('another host signs beside the first with a key that it introduces, and with none that it does not', async () => {
    await sealed()
    const other = join(dir, 'other.key')
    createKey(signerFiles(other))
    await over()
    await expect(takeCheckpoint(db, signerOf(other))).rejects.toMatchObject(GAP)
    await changeKeys(db, signerFiles(keyFile), 'introduces', `${other}.pub`)
    await sealed({}, other)
    await sealed()
    await sealed({}, other)
    for (const file of [keyFile, other]) expect(await verify(file)).toMatchObject({ checkpoints: 5, faults: [], gaps: [] })
    await changeKeys(db, signerFiles(keyFile), 'retires', `${other}.pub`)
    await over()
    await expect(takeCheckpoint(db, signerOf(other))).rejects.toMatchObject(GAP)
    await sealed()
    expect(await verify()).toMatchObject({ faults: [] })
  })

  test('a chain of a stranger’s key is not one, though it names ours, and though it says that somebody accepted it', async () => {
    await sealed()
    const strange = join(dir, 'strange.key')
    createKey(signerFiles(strange))
    await query(db, 'delete from checkpoints')
    await query(db, 'update runs set checkpointed_attempts = null')
    await takeCheckpoint(db, signerOf(strange))
    await changeKeys(db, signerFiles(strange), 'introduces', `${keyFile}.pub`)
    expect((await verify()).faults).toContain('no checkpoint is signed with the key that was named')
    // A signer that remembers does not go on from there.
    await over()
    await expect(takeCheckpoint(db, signerOf(keyFile))).rejects.toMatchObject(GAP)
  })

  test('a link that a stranger adds behind ours is found, a gap that he accepted himself too', async () => {
    await sealed()
    const strange = join(dir, 'strange.key')
    createKey(signerFiles(strange))
    await over()
    await takeCheckpoint(db, signerOf(strange), accepted)
    expect((await verify()).faults[0]).toMatch(/^checkpoint 2: it is signed with the key [0-9a-f]{16}, which nothing before it introduces$/)
    await expect(takeCheckpoint(db, signerOf(keyFile))).rejects.toMatchObject(GAP)
    // Somebody who has lost a key begins anew so, with one that is trusted by its file alone.
    expect(await verify(strange)).toMatchObject({ faults: [], gaps: [expect.stringContaining('goes on after a gap')] })
  })
})

test('each checkpoint leaves the house: a log line with number, hash and key, and an event where alarms go', async () => {
  const said: { about: Record<string, unknown>; message: string }[] = []
  const log = { info: (about: Record<string, unknown>, message: string) => void said.push({ about, message }), error: () => {} }
  const taken = await sealed({ log, sends: true })
  expect(said).toEqual([{ message: 'Checkpoint taken.', about: { number: 1, hash: taken.hash, key: keyIdOf(taken.publicKey), runs: 1 } }])
  expect(await query(db, 'select body from alarms')).toEqual([
    { body: expect.objectContaining({ type: 'nightshift.evidence.checkpoint', subject: '1', data: taken }) },
  ])
  await sealed({ log })
  expect(await query(db, 'select body from alarms')).toHaveLength(1)
})
