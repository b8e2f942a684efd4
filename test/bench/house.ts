import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { pino } from 'pino'
import { createApp, type App } from '../../src/app/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startWorld } from '../../src/demo/world.ts'
import { makePlace, type QueueKind } from './place.ts'

export const TOKEN = `nsk_${'b'.repeat(43)}`

/** All parts over the demo's stand-ins in this process, with nothing started. Undefined: there is no Redis on this machine. */
export async function openHouse(
  kind: QueueKind,
  jobs: Record<string, Record<string, unknown>>,
): Promise<(AsyncDisposable & { app: App }) | undefined> {
  await using building = new AsyncDisposableStack()
  const place = await makePlace(kind, jobs, building)
  if (!place) return undefined
  const { dir, jobsDir, redisUrl } = place
  const sha256 = createHash('sha256').update(TOKEN).digest('hex')
  const api = { listen: '127.0.0.1:0', maxQueued: 1_000_000, tokens: { bench: { sha256, role: 'operator' } } }
  const world = building.use(
    await startWorld({ dir, jobsDir, scripts: {}, config: { api, ...(redisUrl !== undefined && { redisUrl: redisUrl }) } }),
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
