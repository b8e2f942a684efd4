import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { createApp } from '../../../src/app/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld } from '../../../src/demo/world.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

/** A whole Nightshift at work for test/api/fuzz/fuzz.sh: writes its URL and an operator's token to stdout, and the log to stderr, until SIGTERM. */
await using stack = new AsyncDisposableStack()
const dir = mkdtempSync(join(tmpdir(), 'nightshift-fuzz-'))
stack.defer(() => rmSync(dir, { recursive: true, force: true }))
const jobsDir = join(dir, 'jobs')
mkdirSync(jobsDir)
writeFileSync(join(jobsDir, 'work.yaml'), WORK)
writeFileSync(join(jobsDir, 'nightly.yaml'), `${WORK.replace(/input:.*\n/, '')}schedule: { cron: "0 3 1 1 *", timezone: UTC }\n`)
writeFileSync(join(jobsDir, 'fails.yaml'), WORK.replace('name: scripted', 'name: fails'))
const token = `nsk_${randomBytes(24).toString('base64url')}`
const tokens = { fuzz: { sha256: createHash('sha256').update(token).digest('hex'), role: 'operator' } }
const scripts = { scripted: script(WORK_SCRIPT), fails: script('always fail 401 invalid_api_key') }
const world = stack.use(
  await startWorld({ dir, jobsDir, scripts, config: { api: { listen: '127.0.0.1:0', tokens, maxQueued: 1_000_000 } } }),
)
const toStderr = new Writable({ write: (chunk, _, done) => void process.stderr.write(chunk, done) })
const app = stack.use(
  await createApp({ config: loadConfig({ file: world.configFile, env: {} }), log: pino({ level: 'warn' }, toStderr), ephemeral: true }),
)
const server = app.createApiServer()
await server?.start()
await app.worker.start()
process.stdout.write(`${server?.url()} ${token}\n`)
await new Promise((done) => process.once('SIGTERM', done))
