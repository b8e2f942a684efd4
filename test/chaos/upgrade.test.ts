import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { z } from 'zod'
import { script } from '../../src/demo/model/script.ts'
import { startWorld } from '../../src/demo/world.ts'
import { countingJob } from '../support/app/jobs.ts'
import { BIN, program } from '../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { IN_USE, unpackRelease } from './release.ts'

const RUNS = 3
/** Two effects that must not be repeated, with a call between them that may be, and in which a run is stopped. */
const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {}\ncall counting__act {"n": 2}\nsay done'
const runSchema = z.object({ id: z.string(), status: z.string() })

/** Lets calls pass, or keeps them until it lets them pass again. */
function createGate() {
  let opened = Promise.withResolvers<void>()
  return {
    passed: () => opened.promise,
    open: () => opened.resolve(),
    close: () => void (opened = Promise.withResolvers()),
  }
}

/** One deployment over an embedded store, on which programs of two versions are started. */
async function createHost(context: TestContext) {
  const stack = new AsyncDisposableStack()
  context.onTestFinished(() => stack.disposeAsync())
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-upgrade-')), (path) => rmSync(path, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  writeFileSync(join(jobsDir, 'work.yaml'), countingJob())
  const gate = createGate()
  const server = stack.use(
    await startCountingServer(async ({ name }) => {
      if (name === 'look') await gate.passed()
      return 'done'
    }),
  )
  const world = stack.use(
    await startWorld({
      dir,
      jobsDir,
      scripts: { scripted: script(SCRIPT) },
      routes: [countingRoute(server)],
      config: { dataDir: join(dir, 'data'), worker: { drainTimeout: '1s' }, log: { level: 'info' } },
    }),
  )
  const from = unpackRelease(dir, IN_USE)

  async function tell(bin: string, ...args: string[]): Promise<string> {
    const { code, out, err } = await program(['-c', world.configFile, ...args], { bin }).ended
    expect({ args, code, err: code === 0 ? '' : err + out }).toEqual({ args, code: 0, err: '' })
    return out
  }
  const done = (n: number) => server.effects.filter((call) => call.arguments['n'] === n).length
  return {
    gate,
    from: from === undefined ? undefined : join(from, 'src/cli/bin.js'),
    tell,
    done,
    /** Starts everything, lets `work` go on beside it, and stops it in good order. */
    during: async (bin: string, work: () => Promise<void>): Promise<void> => {
      const service = program(['-c', world.configFile, 'start'], { bin })
      await service.says('Nightshift is at work.')
      await work()
      service.child.kill('SIGTERM')
      expect(await service.ended).toMatchObject({ code: 0 })
    },
    /** Asks for runs and waits until each has had its first effect, and none its second. */
    begin: async (bin: string): Promise<string[]> => {
      const before = done(1)
      const ids: string[] = []
      for (let n = 0; n < RUNS; n++) ids.push(runSchema.parse(JSON.parse(await tell(bin, 'run', 'work', '--json'))).id)
      await expect.poll(() => done(1), { timeout: 120_000 }).toBe(before + RUNS)
      return ids
    },
    statusOf: async (bin: string, id: string) => runSchema.parse(JSON.parse(await tell(bin, 'show', id, '--json'))).status,
  }
}

test(
  'an upgrade of the version in use with runs under way, and the way back: each goes on where it was, and none does anything twice',
  { timeout: 500_000 },
  async (context) => {
    const { from, during, begin, done, gate, statusOf } = await createHost(context)
    if (from === undefined) return context.skip('the history of this checkout does not reach back to it')
    const asked: string[] = []
    await during(from, async () => void asked.push(...(await begin(from))))
    expect(done(2)).toBe(0)
    await during(BIN, async () => {
      gate.open()
      await expect.poll(() => done(2), { timeout: 120_000 }).toBe(RUNS)
      gate.close()
      asked.push(...(await begin(BIN)))
    })
    expect(done(2)).toBe(RUNS)
    await during(from, async () => {
      gate.open()
      await expect.poll(() => done(2), { timeout: 120_000 }).toBe(2 * RUNS)
      asked.push(...(await begin(from)))
      await expect.poll(() => done(2), { timeout: 120_000 }).toBe(3 * RUNS)
      for (const id of asked) await expect.poll(() => statusOf(from, id), { timeout: 120_000 }).toBe('succeeded')
    })
    expect([done(1), done(2)]).toEqual([3 * RUNS, 3 * RUNS])
  },
)
