import { once } from 'node:events'
import { environment } from '../../src/config/environment.ts'
import { hasRedisServer, spawnRedis } from '../support/app/outage.ts'
import { freePort } from '../support/net/listen.ts'

/** `REDIS_URL`, or a redis-server of the PATH that ends with `stack`. Undefined: this machine has none. */
export async function startRedis(dir: string, stack: AsyncDisposableStack): Promise<string | undefined> {
  const given = environment['REDIS_URL']
  if (given !== undefined && given !== '') return given
  if (!hasRedisServer()) return undefined
  const port = await freePort()
  const { started: server, isReady } = spawnRedis(port, ['--dir', dir, '--appendonly', 'yes'])
  stack.defer(async () => {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
  })
  await isReady
  return `redis://127.0.0.1:${port}`
}
