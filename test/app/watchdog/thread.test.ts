import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'

const WATCHDOG = pathToFileURL(join(import.meta.dirname, '../../../src/app/watchdog/watchdog.ts')).href
/** Blocks its event loop for ever, while an attempt is under way and no store answers. */
const PROGRAM = `
import { createWatchdog } from '${WATCHDOG}'
const log = { error: (...said) => console.log(...said) }
const watchdog = createWatchdog({ worker: 'w', databaseUrl: 'postgres://127.0.0.1:1/nowhere', leaseMs: 1000, slots: 1, log })
await watchdog.start()
watchdog.enter({ runId: 'run_heavy', number: 1, token: 'ce2b9ee4-6a0b-4a0e-9a0a-1f1f5a1f5a1f' })
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
`
const dir = mkdtempSync(join(tmpdir(), 'nightshift-watchdog-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'blocked.mjs')
writeFileSync(file, PROGRAM)
const node = [process.execPath, file]
const FIRST = ['unshare', '--pid', '--fork', '--mount-proc']
const hasNamespaces = spawnSync(FIRST[0] ?? '', [...FIRST.slice(1), 'true']).status === 0

test.each([
  { as: 'a process', command: node },
  // Which the kernel shields from signals of its own.
  ...(hasNamespaces ? [{ as: 'the first process of a container', command: [...FIRST, ...node] }] : []),
])('$as whose loop is blocked is ended by the thread, after its last words, also when the store is away', async ({ command }) => {
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect(out).toBe('')
  expect(JSON.parse(err.split('\n')[0] ?? '')).toMatchObject({ level: 60, code: 'WORKER_STALLED', worker: 'w', runs: ['run_heavy'] })
  expect(child.exitCode ?? child.signalCode).not.toBe(0)
})
