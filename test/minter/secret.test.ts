import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { startDemoConfigService } from '../../src/demo/gateway/config-service.ts'
import { program } from '../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'

const JOB = countingJob({ tools: 'counting: { allow: [act] }' })
const CHUNK = 1 << 24

/** Which of these are in the readable memory of a process. Servers of the test go on answering meanwhile. */
async function findInMemory(pid: number, needles: Record<string, Buffer>): Promise<string[]> {
  const found = new Set<string>()
  const overlap = Math.max(...Object.values(needles).map((needle) => needle.length))
  const piece = Buffer.alloc(CHUNK + overlap)
  const memory = await open(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) r\S+ .*$/.exec(line) ?? []
      if (from === undefined || to === undefined || /\[v(var|syscall|dso)/.test(line)) continue
      const end = BigInt(`0x${to}`)
      // Each piece begins with the end of the one before.
      let kept = 0
      for (let at = BigInt(`0x${from}`); at < end; at += BigInt(CHUNK)) {
        const size = Number(end - at < BigInt(CHUNK) ? end - at : BigInt(CHUNK))
        try {
          const filled = kept + (await memory.read(piece, kept, size, at)).bytesRead
          const seen = piece.subarray(0, filled)
          for (const [name, needle] of Object.entries(needles)) if (seen.includes(needle)) found.add(name)
          piece.copyWithin(0, Math.max(filled - overlap, 0), filled)
          kept = Math.min(overlap, filled)
        } catch {
          // Reserved and never touched.
          kept = 0
        }
      }
    }
  } finally {
    await memory.close()
  }
  return [...found].toSorted()
}

/** The text of every file in a directory but one. */
function filesOf(dir: string, except: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => join(dir, file) !== except && statSync(join(dir, file), { throwIfNoEntry: false })?.isFile() === true)
    .map((file) => readFileSync(join(dir, file), 'latin1'))
    .join('\n')
}

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'the shared secret is in no worker’s memory, environment or file, while the worker’s runs have accounts of their own',
  async () => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      jobs: { act: JOB },
      routes: [countingRoute(server)],
      scripts: { scripted: 'call counting__act {"n": 1}\nsay done' },
      config: {
        accounts: { reports: { tokenFile: 'reports.token', perRun: true } },
        minter: { socket: 'minter.sock' },
        log: { level: 'info' },
      },
    })
    const sharedSecret = randomBytes(32)
    const text = sharedSecret.toString('base64')
    const needles = {
      bytes: sharedSecret,
      base64: Buffer.from(text),
      utf16: Buffer.from(text, 'utf16le'),
      hex: Buffer.from(sharedSecret.toString('hex')),
    }
    await using service = await startDemoConfigService({ accounts: testApp.world.gateway.accounts, sharedSecret })
    chmodSync(testApp.dir, 0o711)
    const secretFile = join(testApp.dir, 'shared-secret')
    writeFileSync(secretFile, `${sharedSecret.toString('base64')}\n`, { mode: 0o600 })
    const minterFile = join(testApp.dir, 'minter.yaml')
    writeFileSync(
      minterFile,
      stringify({
        socket: 'minter.sock',
        url: service.url,
        sharedSecretFile: 'shared-secret',
        users: ['svc-reports'],
        maxLifetime: '1h',
        perMinute: 60,
      }),
    )
    const minter = program(['minter', minterFile])
    await minter.says('The minter listens.')
    const worker = program(['-c', testApp.world.configFile, 'start', '--only', 'worker'])
    await worker.says('Nightshift is at work.')
    const during = new Promise<string[]>((done) => {
      server.answer = async () => {
        const found = findInMemory(worker.child.pid ?? 0, needles)
        done(found)
        await found
        return 'done'
      }
    })
    const queued = await program(['-c', testApp.world.configFile, 'run', 'act', '--json']).ended
    expect(queued).toMatchObject({ code: 0 })
    expect(await during).toEqual([])
    await worker.says('Run finished.')
    expect(testApp.world.gateway.accounts.list().map(({ userId }) => userId)).toContain('svc-reports')

    expect(await findInMemory(worker.child.pid ?? 0, needles)).toEqual([])
    // The search would find it: the process that holds it is searched in the same way.
    expect(await findInMemory(minter.child.pid ?? 0, needles)).not.toEqual([])
    const environment = readFileSync(`/proc/${worker.child.pid}/environ`, 'latin1')
    const kept = environment + filesOf(testApp.dir, secretFile) + worker.out() + minter.out()
    for (const [name, needle] of Object.entries(needles)) expect(kept.includes(needle.toString('latin1')), name).toBe(false)
    expect(readFileSync(testApp.world.configFile, 'utf8')).not.toContain('admin')

    worker.child.kill('SIGTERM')
    minter.child.kill('SIGTERM')
    expect([(await worker.ended).code, (await minter.ended).code]).toEqual([0, 0])
  },
  120_000,
)
