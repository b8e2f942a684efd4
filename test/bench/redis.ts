import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { environment } from '../../src/config/environment.ts'
import { freePort } from '../support/net/listen.ts'

/** `REDIS_URL`, or a redis-server of the PATH that ends with `stack`. Undefined: this machine has none. */
export async function startRedis(dir: string, stack: AsyncDisposableStack): Promise<string | undefined> {
  const given = environment['REDIS_URL']
  if (given !== undefined && given !== '') return given
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', '']
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  stack.defer(async () => {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
  })
  for await (const chunk of server.stdout) if (String(chunk).includes('Ready to accept connections')) break
  return `redis://127.0.0.1:${port}`
}
