import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld } from '../../../src/demo/world.ts'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import { startEmbeddedPostgres } from '../../../src/store/postgres/embedded/server.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { program } from '../../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

const idSchema = z.object({ id: z.string() })

/** A deployment with an embedded store, in a directory of its own. */
async function createHost() {
  const stack = new AsyncDisposableStack()
  onTestFinished(() => stack.disposeAsync())
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-host-')), (path) => rmSync(path, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  writeFileSync(join(jobsDir, 'work.yaml'), countingJob())
  const server = stack.use(await startCountingServer())
  const scripts = { scripted: script('call counting__act {"n": 1}\nsay done') }
  const world = stack.use(
    await startWorld({
      dir,
      jobsDir,
      scripts,
      routes: [countingRoute(server)],
      config: { dataDir: join(dir, 'data'), log: { level: 'info' } },
    }),
  )
  return { dir, configFile: world.configFile, server }
}

/** The same configuration on another machine, with nothing there yet. */
function moved(configFile: string): { configFile: string; dataDir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-elsewhere-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'nightshift.yaml')
  const dataDir = join(dir, 'data')
  writeFileSync(file, stringify({ ...z.record(z.string(), z.unknown()).parse(parse(readFileSync(configFile, 'utf8'))), dataDir }), {
    mode: 0o600,
  })
  return { configFile: file, dataDir }
}

/** Runs ended an hour ago: what has just ended is in no checkpoint. */
async function ageRuns(dataDir: string): Promise<void> {
  const embedded = await startEmbeddedPostgres({ dir: join(dataDir, 'postgres') })
  const db = openDb({ url: embedded.url, max: 1 })
  await query(db, "update runs set finished_at = finished_at - interval '1 hour'")
  await db.end()
  await embedded.stop()
}

const told = async (configFile: string, ...args: string[]) => program(['-c', configFile, ...args]).ended
async function good(configFile: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await told(configFile, ...args)
  expect({ args, code, err: code === 0 ? '' : err + out }).toEqual({ args, code: 0, err: '' })
  return out
}

test(
  'a store that is lost with its directory comes back on another machine: its evidence verifies, and nothing goes on by itself',
  { timeout: 240_000 },
  async () => {
    const { dir, configFile, server } = await createHost()
    const file = join(dir, 'store.zst')
    await good(configFile, 'evidence', 'key', 'create')
    const service = program(['-c', configFile, 'start'])
    await service.says('Nightshift is at work.')
    await good(configFile, 'run', 'work', '--follow')
    expect(server.effects).toHaveLength(1)
    await ageRuns(join(dir, 'data'))
    const anchor = join(dir, 'anchor.json')
    await good(configFile, 'evidence', 'checkpoint', '--out', anchor)
    const before = await good(configFile, 'evidence', 'verify', '--store', '--anchor', anchor, '--json')
    expect(JSON.parse(before)).toMatchObject({ checkpoints: 2, runs: 1, intact: 1, faults: [] })
    // One that will have been done after the backup, which knows nothing of that.
    await good(configFile, 'drain', '--reason', 'the night of the backup')
    const { id } = idSchema.parse(JSON.parse(await good(configFile, 'run', 'work', '--json')))

    // Beside a process that is at work.
    await good(configFile, 'backup', file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await good(configFile, 'resume', '--all')
    await expect.poll(() => server.effects.length).toBe(2)

    const data = join(dir, 'data')
    const kept = join(dir, 'kept')
    mkdirSync(kept)
    for (const name of ['evidence.key', 'evidence.key.pub', 'evidence.key.last']) cpSync(join(data, name), join(kept, name))
    service.child.kill('SIGKILL')
    await service.ended

    const elsewhere = moved(configFile)
    mkdirSync(elsewhere.dataDir)
    cpSync(kept, elsewhere.dataDir, { recursive: true })
    expect(await good(elsewhere.configFile, 'restore', file)).toContain('Everything is paused.')
    expect(await good(elsewhere.configFile, 'evidence', 'verify', '--store', '--anchor', anchor, '--json')).toBe(before)

    const again = program(['-c', elsewhere.configFile, 'start'])
    onTestFinished(async () => {
      again.child.kill('SIGTERM')
      await again.ended
    })
    await again.says('Nightshift is at work.')
    const held = async () =>
      z
        .object({ status: z.string(), heldBy: z.string().nullable() })
        .parse(JSON.parse(await good(elsewhere.configFile, 'show', id, '--json')))
    await expect.poll(held).toEqual({ status: 'queued', heldBy: 'pause *' })
    expect(server.effects).toHaveLength(2)
    await good(elsewhere.configFile, 'cancel', id)
    await good(elsewhere.configFile, 'resume', '--all')
    await good(elsewhere.configFile, 'run', 'work', '--follow')
    expect(server.effects).toHaveLength(3)
  },
)

test('a backup that cannot be written leaves what was there', async () => {
  const { dir, configFile } = await createHost()
  const file = join(dir, 'store.zst')
  await good(configFile, 'runs')
  await good(configFile, 'backup', file)
  const first = readFileSync(file)
  const ending = program(['-c', configFile, 'backup', '/dev/full'])
  expect(await ending.ended).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^COMMAND_INVALID The backup cannot be written into \/dev\/full: .*no space/s),
  })
  expect(readFileSync(file)).toEqual(first)
  expect(existsSync(`${file}.part`)).toBe(false)
})

test(
  'the key of evidence is lost with its directory: restore and verify name the files, their copies cure it, and a new key does not',
  { timeout: 240_000 },
  async () => {
    const { dir, configFile } = await createHost()
    const data = join(dir, 'data')
    const kept = join(dir, 'kept')
    const file = join(dir, 'store.zst')
    await good(configFile, 'evidence', 'key', 'create')
    const service = program(['-c', configFile, 'start'])
    await service.says('Nightshift is at work.')
    await good(configFile, 'run', 'work', '--follow')
    service.child.kill('SIGTERM')
    await service.ended
    await ageRuns(data)
    await good(configFile, 'evidence', 'checkpoint', '--out', join(dir, 'anchor.json'))
    const backup = await told(configFile, 'backup', file)
    const names = ['evidence.key', 'evidence.key.pub', 'evidence.key.last']
    for (const name of names) expect(backup.err).toContain(`\n  ${join(data, name)}`)
    mkdirSync(kept)
    for (const name of names) cpSync(join(data, name), join(kept, name))
    const before = await good(configFile, 'evidence', 'verify', '--store', '--json')
    rmSync(data, { recursive: true, force: true })

    const { configFile: there, dataDir } = moved(configFile)
    const restored = await good(there, 'restore', file)
    for (const name of names) expect(restored).toContain(`\n  ${join(dataDir, name)}`)
    const verify = (...args: string[]) => told(there, 'evidence', 'verify', '--store', '--json', ...args)
    expect(await verify()).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^KEY_INVALID There is no public key .*evidence\.key\.pub\. Bring it back from its copy.*it does not follow what another signed/s,
      ),
    })
    expect(await verify('--key', join(kept, 'evidence.key.pub'))).toMatchObject({ code: 0, out: before })
    // A new key, which is what not to make, is found out at once.
    await good(there, 'evidence', 'key', 'create')
    expect(await verify()).toMatchObject({ code: 3, out: expect.stringContaining('no checkpoint is signed with the key that was named') })
    expect(await told(there, 'evidence', 'checkpoint')).toMatchObject({ code: 3, err: expect.stringMatching(/^EVIDENCE_GAP /) })
    for (const name of names) cpSync(join(kept, name), join(dataDir, name))
    expect(await verify()).toMatchObject({ code: 0, out: before })
  },
)
