import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countingJob } from '../../../support/app/jobs.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { program, type Program } from '../../../support/cli/command.ts'
import { noneLeft, processesOf } from '../../../support/database/postgres-process.ts'
import { countingRoute, startCountingServer } from '../../../support/mcp/counting-server.ts'

/** Throws where nobody catches, when it is told. */
const FRAGILE = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => { throw new Error('a fault of ours') })")}`,
}

const STOPPING = 'Stopping: runs under way may end.'

interface Case {
  what: string
  /** Does it with a run under way, so that a first SIGTERM lets it drain. */
  busy: boolean
  /** Each, with what it says before the next one. */
  signals: readonly (readonly [NodeJS.Signals, string?])[]
  ends: number | NodeJS.Signals
}

/** What `nightshift start` over the embedded store makes of each signal: docs/operations.md says the same. */
const CASES: readonly Case[] = [
  { what: 'SIGTERM without a run', busy: false, signals: [['SIGTERM']], ends: 0 },
  { what: 'SIGINT without a run', busy: false, signals: [['SIGINT']], ends: 0 },
  { what: 'SIGHUP, at work and while it stops', busy: true, signals: [['SIGHUP'], ['SIGTERM', STOPPING], ['SIGHUP'], ['SIGTERM']], ends: 143 }, // prettier-ignore
  { what: 'a second SIGTERM', busy: true, signals: [['SIGTERM', STOPPING], ['SIGTERM']], ends: 143 },
  { what: 'a second SIGINT', busy: true, signals: [['SIGINT', STOPPING], ['SIGINT']], ends: 130 },
  { what: 'SIGKILL', busy: true, signals: [['SIGKILL']], ends: 'SIGKILL' },
  { what: 'SIGKILL while it stops', busy: true, signals: [['SIGTERM', STOPPING], ['SIGKILL']], ends: 'SIGKILL' },
  { what: 'an exception that nobody catches', busy: true, signals: [['SIGUSR2']], ends: 1 },
]

test('whatever ends start, its embedded server ends with it, nothing of it is left, and the next one starts', async () => {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startCountingServer(() => new Promise<string>(() => {})))
  const { world } = stack.use(await buildTestApp({ routes: [countingRoute(server)], jobs: { act: countingJob() }, scripts: { scripted: 'call counting__look {"n": 1}\nsay done' } })) // prettier-ignore
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-ends-'))
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  chmodSync(dir, 0o711)
  const text = readFileSync(world.configFile, 'utf8')
  writeFileSync(world.configFile, text.replace(/databaseUrl: .*\n/, '').replace(/dataDir: .*/, `dataDir: ${dir}`))
  const start = async (): Promise<Program> => {
    const one = program(['-c', world.configFile, 'start'], { env: FRAGILE })
    stack.defer(() => void one.child.kill('SIGKILL'))
    await one.says('Nightshift is at work.')
    return one
  }
  for (const { what, busy, signals, ends } of CASES) {
    const { child, says, ended } = await start()
    expect(processesOf(dir).length, what).toBeGreaterThan(0)
    if (busy) {
      const called = server.nextCall()
      expect(await program(['-c', world.configFile, 'run', 'act']).ended, what).toMatchObject({ code: 0 })
      await called
    }
    for (const [signal, said] of signals) {
      child.kill(signal)
      if (said !== undefined) await says(said)
    }
    await ended
    expect([what, child.signalCode ?? child.exitCode]).toEqual([what, ends])
    await noneLeft(dir)
  }
  const last = await start()
  last.child.kill('SIGTERM')
  await last.ended
  await noneLeft(dir)
})
