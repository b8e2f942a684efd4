import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from '../../src/demo/gateway/certificate.ts'
import { checkQueue } from '../../src/doctor/infrastructure.ts'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'
import { hasRedisServer, startWayTo } from '../support/app/outage.ts'
import { freePort } from '../support/net/listen.ts'

/** A redis-server with these settings, on a port of its own, in a directory of its own. */
async function startRedis(settings: (dir: string, port: number) => readonly string[], ready = 'Ready to accept connections') {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-redis-'))
  const port = await freePort()
  const own = settings(dir, port)
  // Settings of a file come first, and alone.
  const args = own[0]?.endsWith('.conf') === true ? own : ['--bind', '127.0.0.1', '--save', '', '--dir', dir, ...own]
  const server: ChildProcess = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const chunk of server.stdout ?? []) if (String(chunk).includes(ready)) break
  server.stdout?.resume()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    /** Sends one command. */
    async tell(...command: [string, ...string[]]) {
      const client = new Redis(port, '127.0.0.1', { commandTimeout: 5000 })
      await client.call(...command).finally(() => client.disconnect())
    },
    async [Symbol.asyncDispose]() {
      if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const NEVER = new AbortController().signal

/** Opens the queue and writes to it, as `start` and a check of readiness do. */
async function use(redisUrl: string): Promise<void> {
  const backend = await openQueueBackend({ redisUrl, databaseUrl: 'postgres://unused' })
  const queue = await backend.queue()
  try {
    await backend.check()
    await queue.addBulk([{ name: 'run', data: { runId: 'x' } }])
    expect(await queue.count()).toBe(1)
  } finally {
    await queue.close()
    await backend.close()
  }
}

/** It is refused when it is opened, and by doctor, with the same cure. */
async function expectRefused(redisUrl: string, why: RegExp, cure: RegExp): Promise<void> {
  const refusal = { message: expect.stringMatching(why), cure: expect.stringMatching(cure) }
  await expect(use(redisUrl)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', ...refusal })
  expect(await checkQueue(redisUrl, NEVER)).toMatchObject([{ check: 'queue', status: 'failed', code: 'QUEUE_UNAVAILABLE', ...refusal }])
}

describe.skipIf(!hasRedisServer())('a Redis', () => {
  test('with a password works with it, and without or with another one is refused with what to write', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port), '--requirepass', 'p@ss/w#rd'])
    const at = (credentials: string) => `redis://${credentials}127.0.0.1:${redis.port}`
    await use(at(`:${encodeURIComponent('p@ss/w#rd')}@`))
    await expectRefused(at(''), /NOAUTH/, /user:password@host/)
    await expectRefused(at(':canary@'), /WRONGPASS/, /user:password@host/)
    await expect(use(at(':canary@'))).rejects.toMatchObject({ message: expect.not.stringContaining('canary') })
  })

  test('behind TLS works where its certificate is trusted, and else is refused with the variable that trusts it', async () => {
    const { key, cert } = await makeCertificate(['localhost'])
    await using redis = await startRedis((dir, port) => {
      writeFileSync(join(dir, 'key.pem'), key)
      writeFileSync(join(dir, 'cert.pem'), cert)
      const files = ['--tls-cert-file', join(dir, 'cert.pem'), '--tls-key-file', join(dir, 'key.pem'), '--tls-auth-clients', 'no']
      return ['--port', '0', '--tls-port', String(port), ...files]
    })
    const url = `rediss://localhost:${redis.port}`
    await expectRefused(url, /certificate/, /NODE_EXTRA_CA_CERTS/)
    const trusted = getCACertificates()
    setDefaultCACertificates([...trusted, cert])
    try {
      await use(url)
    } finally {
      setDefaultCACertificates(trusted)
    }
  })

  test('in cluster mode is refused: keys of a queue would be on several servers', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port), '--cluster-enabled', 'yes', '--cluster-port', '0'])
    await expectRefused(`redis://127.0.0.1:${redis.port}`, /is a cluster/, /one Redis server.*in Postgres/)
  })

  test('that is a Sentinel is refused with what leads to the primary, and an address that leads there works', async () => {
    await using primary = await startRedis((_, port) => ['--port', String(port)])
    await using sentinel = await startRedis((dir, port) => {
      const file = join(dir, 'sentinel.conf')
      writeFileSync(file, `bind 127.0.0.1\nport ${port}\ndir ${dir}\nsentinel monitor queue 127.0.0.1 ${primary.port} 1\n`)
      return [file, '--sentinel']
    }, '+monitor')
    await expectRefused(sentinel.url, /is a Redis Sentinel/, /leads to the primary.*in Postgres/)
    await using way = await startWayTo(primary.url)
    await use(way.url)
  })

  test('that evicts entries when it is full, or forgets them at a restart, works and is told by doctor', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port), '--maxmemory-policy', 'allkeys-lru'])
    const url = `redis://127.0.0.1:${redis.port}`
    await use(url)
    expect(await checkQueue(url, NEVER)).toMatchObject([
      { check: 'queue', status: 'ok' },
      { check: 'eviction', status: 'failed', cure: expect.stringContaining('noeviction') },
      { check: 'persistence', status: 'warning', cure: expect.stringContaining('appendonly') },
    ])
  })

  test('that is full fails the check of readiness, and doctor says so', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port), '--maxmemory', '1', '--maxmemory-policy', 'noeviction'])
    const url = `redis://127.0.0.1:${redis.port}`
    await expect(use(url)).rejects.toThrow(/OOM/)
    expect(await checkQueue(url, NEVER)).toMatchObject([
      { check: 'queue', status: 'failed', message: expect.stringContaining('OOM'), cure: expect.stringContaining('maxmemory') },
    ])
  })

  /** An app whose queue is at this address, and one run of it that was done. */
  async function openAt(redisUrl: string) {
    const api = await openApi({ redisUrl, jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
    const { app } = api.testApp
    await Promise.all([app.sweeper.start(), app.worker.start()])
    expect(await api.over(await api.create('work'))).toMatchObject({ status: 'succeeded' })
    const readyz = async () => (await fetch(`${api.url}/readyz`)).status
    expect(await readyz()).toBe(200)
    return { api, readyz, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() }
  }

  test('that became a replica in a failover is left for the new primary once the address leads there, and /readyz says so until then', async () => {
    await using primary = await startRedis((_, port) => ['--port', String(port)])
    await using replica = await startRedis((_, port) => ['--port', String(port), '--replicaof', `127.0.0.1 ${primary.port}`])
    await using way = await startWayTo(primary.url)
    await using at = await openAt(way.url)
    await replica.tell('REPLICAOF', 'NO', 'ONE')
    await primary.tell('REPLICAOF', '127.0.0.1', String(replica.port))
    expect(await at.readyz()).toBe(503)
    const id = await at.api.create('work')
    expect(await checkQueue(way.url, NEVER)).toMatchObject([
      { status: 'failed', message: expect.stringContaining('READONLY'), cure: expect.stringContaining('the primary') },
    ])

    way.leadTo(replica.url)
    await expect.poll(at.readyz).toBe(200)
    expect(await at.api.over(id)).toMatchObject({ status: 'succeeded' })
    expect(await at.api.over(await at.api.create('work'))).toMatchObject({ status: 'succeeded' })
  })

  test('that is full takes no run and loses none: they are done once it has room, and /readyz says so until then', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port), '--maxmemory-policy', 'noeviction'])
    await using at = await openAt(redis.url)
    await redis.tell('CONFIG', 'SET', 'maxmemory', '1')
    expect(await at.readyz()).toBe(503)
    const id = await at.api.create('work')
    await redis.tell('CONFIG', 'SET', 'maxmemory', '0')
    await expect.poll(at.readyz).toBe(200)
    expect(await at.api.over(id)).toMatchObject({ status: 'succeeded' })
  })

  test('that forgot all entries while runs were queued, as one that evicts does, delays them and loses none', async () => {
    await using redis = await startRedis((_, port) => ['--port', String(port)])
    await using at = await openAt(redis.url)
    const { app } = at.api.testApp
    await app.worker.stop()
    const id = await at.api.create('work')
    await redis.tell('FLUSHALL')
    const replica = await at.api.testApp.replica()
    await replica.worker.start()
    expect(await at.api.over(id)).toMatchObject({ status: 'succeeded' })
  })
})
