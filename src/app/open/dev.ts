import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { pino } from 'pino'
import { createApp, type App } from '../app.ts'
import { makeTemporary } from './temporary.ts'
import { loadConfig } from '../../config/load.ts'
import type { RunningDevServer } from '../../dev/look.ts'
import { needsOf } from '../../dev/needs.ts'
import type { DevSettings } from '../../dev/settings.ts'
import type { Provider } from '../../models/provider.ts'

export interface DevOptions {
  settings: DevSettings
  jobsDir: string
  /** What stands in the place of each provider of the jobs. `app`: once it is there. */
  provider: (given: Provider, app: () => App) => Provider
}

export interface Dev {
  app: App
  servers: ReadonlyMap<string, RunningDevServer>
}

/** The product with a gateway, a store and a queue of its own, which end with it; its worker is at work, and its reports are sent nowhere. */
export async function openDev({ settings, jobsDir, provider }: DevOptions, stack: AsyncDisposableStack): Promise<Dev> {
  const dir = makeTemporary('dev')
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  // Imported here alone: no other command needs the stand-ins and their libraries.
  const { startDevWorld } = await import('../../dev/world.ts')
  const world = stack.use(await startDevWorld({ ...settings, dir, jobsDir, needs: needsOf(jobsDir) }))
  let app: App | undefined
  const ready = () => {
    if (!app) throw new Error('a run began before its app was there')
    return app
  }
  app = stack.use(
    await createApp({
      config: loadConfig({ file: world.configFile, env: {} }),
      log: pino({ level: 'silent' }),
      ephemeral: true,
      queuePrefix: basename(dir),
      wrapProvider: (given) => provider(given, ready),
    }),
  )
  await app.worker.start()
  return { app, servers: world.servers }
}
