import { chownSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded/server.ts'
import { startVictim, type Victim } from './victim.ts'
import { freePort } from '../support/net/listen.ts'

/** A server that can be killed, at an address that stays the same. */
export interface Store {
  victim: Victim
  url: string
}

interface Place {
  dir: string
  say: (line: string) => void
}

/** The embedded Postgres, made and stopped by its own code, then run by us so that it comes back on the same socket. Commits are durable. */
export async function startPostgres({ dir, say }: Place): Promise<Store> {
  const embedded = await startEmbeddedPostgres({ dir: join(dir, 'postgres') })
  // Its socket stands beside its data.
  const socket = decodeURIComponent(new URL(embedded.url).hostname)
  const data = join(dirname(socket), 'data')
  const pid = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0] ?? ''
  const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  await embedded.stop()
  // It took its socket's directory away.
  const { uid, gid } = statSync(data)
  mkdirSync(socket, { mode: 0o700 })
  if (process.getuid?.() === 0) chownSync(socket, uid, gid)
  const victim = await startVictim({
    name: 'postgres',
    command,
    args,
    logFile: join(dir, 'postgres.log'),
    cwd: data,
    endSignal: 'SIGINT',
    ...(process.getuid?.() === 0 && { user: { uid, gid } }),
    say,
    async ready() {
      const client = new pg.Client({ connectionString: embedded.url })
      client.on('error', () => {})
      await client.connect()
      await client.end()
    },
  })
  return { victim, url: embedded.url }
}

/** A redis-server that writes all to its append-only file. */
export async function startRedis({ dir, say }: Place): Promise<Store> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const victim = await startVictim({
    name: 'redis',
    command: 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', ''],
    logFile: join(dir, 'redis.log'),
    say,
    async ready() {
      const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
      client.on('error', () => {})
      try {
        await client.connect()
        await client.ping()
      } finally {
        client.disconnect()
      }
    },
  })
  return { victim, url }
}
