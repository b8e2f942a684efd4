import type { Logger } from 'pino'
import { openConfigService } from '../pomerium/config-service.ts'
import { loadMinterConfig } from './config.ts'
import { startMinter } from './server.ts'

/** Starts the minter that its configuration file describes. Disposing ends it and its connections. Throws `CONFIG_INVALID`. */
export async function openMinter(file: string, log: Logger): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const { socket, workerUid, users, maxLifetime, perMinute, notes, ...place } = loadMinterConfig(file)
  for (const note of notes) log.warn({ note }, 'The configuration has a key under its earlier name.')
  const service = stack.use(openConfigService(place))
  stack.use(await startMinter({ socket, workerUid, policy: { users, maxLifetimeMs: maxLifetime, perMinute }, service, log }))
  return stack.move()
}
