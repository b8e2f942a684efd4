import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pino } from 'pino'
import { stringify } from 'yaml'
import { createApp, type App } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { startWorld } from '../../src/demo/world.ts'
import { startRedis } from './redis.ts'
import type { QueueKind } from './site.ts'

export const TOKEN = `nsk_${'b'.repeat(43)}`

/** All parts over the demo's stand-ins in this process, with nothing started. Undefined: there is no Redis on this machine. */
export async function openHouse(
  kind: QueueKind,
  jobs: Record<string, Record<string, unknown>>,
): Promise<(AsyncDisposable & { app: App }) | undefined> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-bench-'))
  chmodSync(dir, 0o711)
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const redisUrl = kind === 'redis' ? await startRedis(dir, building) : undefined
  if (kind === 'redis' && redisUrl === undefined) return undefined
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  for (const [name, job] of Object.entries(jobs)) writeFileSync(join(jobsDir, `${name}.yaml`), stringify(job))
  const sha256 = createHash('sha256').update(TOKEN).digest('hex')
  const api = { listen: '127.0.0.1:0', maxQueued: 1_000_000, tokens: { bench: { sha256, role: 'operator' } } }
  const world = building.use(
    await startWorld({ dir, jobsDir, scripts: {}, config: { api, ...(redisUrl !== undefined && { redis_url: redisUrl }) } }),
  )
  const config = loadConfig({ file: world.configFile, env: {} })
  const app = building.use(await createApp({ config, log: pino({ level: 'silent' }), ephemeral: true, queuePrefix: basename(dir) }))
  const stack = building.move()
  return { app, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** A job that needs nothing to be asked for. */
export const plainJob = (extra: Record<string, unknown> = {}) => ({
  account: 'reports',
  model: { provider: 'openai', name: 'quick' },
  prompt: 'Report.',
  tools: { labor: { allow: ['query'] } },
  ...extra,
})
