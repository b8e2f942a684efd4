import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { openDb, query } from '../../src/store/postgres/db.ts'
import { openApi, problem } from '../support/app/api.ts'
import { hasRedisServer, startOwnRedis } from '../support/app/outage.ts'
import { startFlakyProxy } from '../support/gateway/flaky-proxy.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }

test('while Postgres is away requests end with a problem, the process is not ready, and both come back', async () => {
  await using api = await openApi(testApp)
  const id = await api.create('work')
  await using stack = new AsyncDisposableStack()
  const admin = stack.adopt(openDb({ url: inject('postgresUrl'), max: 1 }), (db) => db.end())
  const name = new URL(api.testApp.database.url).pathname.slice(1)
  await query(admin, `alter database ${name} with allow_connections false`)
  await query(admin, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  await query(admin, `alter database ${name} rename to ${name}_away`)
  const codes: unknown[] = []
  for (const [method, path, body] of [
    ['GET', `/v1/runs/${id}`, undefined],
    ['GET', '/v1/runs', undefined],
    ['POST', '/v1/jobs/work/runs', {}],
    ['POST', `/v1/runs/${id}/cancel`, undefined],
    ['POST', `/v1/runs/${id}/retry`, {}],
    ['GET', '/v1/jobs', undefined],
  ] as const) {
    const answer = await api.ask(method, path, { body })
    codes.push([answer.status, problem.parse(answer.body).code])
    expect(answer.text).not.toContain(new URL(api.testApp.database.url).password)
  }
  expect(codes).toEqual(codes.map(() => [503, 'STORE_UNAVAILABLE']))
  expect(await api.ask('GET', '/readyz')).toMatchObject({ status: 503, body: { checks: { store: 'does not answer' } } })
  expect((await api.ask('GET', '/livez')).status).toBe(200)
  await query(admin, `alter database ${name}_away rename to ${name}`)
  await query(admin, `alter database ${name} with allow_connections true`)
  await expect.poll(async () => (await api.ask('GET', '/readyz')).status).toBe(200)
  expect((await api.show(id)).status).toBe('queued')
})

test('while Postgres takes no writes the process is not ready, what is there can be read, and nothing is said to be done', async () => {
  await using api = await openApi(testApp)
  const id = await api.create('work')
  await using stack = new AsyncDisposableStack()
  const admin = stack.adopt(openDb({ url: inject('postgresUrl'), max: 1 }), (db) => db.end())
  const name = new URL(api.testApp.database.url).pathname.slice(1)
  const setReadOnly = async (value: string) => {
    await query(admin, `alter database ${name} set default_transaction_read_only = ${value}`)
    await query(admin, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  }
  await setReadOnly('on')
  await expect.poll(() => api.ask('GET', '/readyz')).toMatchObject({ status: 503, body: { checks: { store: 'does not answer' } } })
  expect((await api.show(id)).status).toBe('queued')
  for (const [path, body] of [
    ['/v1/jobs/work/runs', {}],
    [`/v1/runs/${id}/cancel`, undefined],
    ['/v1/schedules/work/pause', { reason: 'x' }],
  ] as const)
    expect(await api.ask('POST', path, { body })).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } })
  await setReadOnly('off')
  await expect.poll(async () => (await api.ask('GET', '/readyz')).status).toBe(200)
})

test.skipIf(!hasRedisServer())(
  'while Redis takes no writes the process is not ready; after a failover it finds the server that does',
  async () => {
    await using stack = new AsyncDisposableStack()
    const dirs = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'nightshift-redis-')))
    stack.defer(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })))
    const servers = [
      stack.use(await startOwnRedis(dirs[0] ?? '', await getPort())),
      stack.use(await startOwnRedis(dirs[1] ?? '', await getPort())),
    ]
    const ports = servers.map(({ url }) => Number(new URL(url).port))
    // The address of a deployment: what is behind it may become another server, and open connections stay where they are.
    let target = 0
    const address = createServer((client) => {
      const server = connect(ports[target] ?? 0, '127.0.0.1')
      client.pipe(server).pipe(client)
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const)
        one.on('error', () => {}).on('close', () => other.destroy())
    })
    await once(address.listen(0, '127.0.0.1'), 'listening')
    stack.defer(() => void address.close())
    const { port } = z.object({ port: z.number() }).parse(address.address())
    await using api = await openApi({ ...testApp, redisUrl: `redis://127.0.0.1:${port}` })
    expect((await api.ask('GET', '/readyz')).status).toBe(200)
    const first = stack.adopt(new Redis(servers[0]?.url ?? ''), (redis) => redis.disconnect())
    await first.config('SET', 'min-replicas-to-write', '1')
    await expect
      .poll(() => api.ask('GET', '/readyz'))
      .toMatchObject({ status: 503, body: { checks: { store: 'ok', queue: 'does not answer' } } })
    await first.config('SET', 'min-replicas-to-write', '0')
    await expect.poll(async () => (await api.ask('GET', '/readyz')).status).toBe(200)
    await first.replicaof('127.0.0.1', String(ports[1]))
    expect((await api.ask('GET', '/readyz')).body).toMatchObject({ checks: { queue: 'does not answer' } })
    target = 1
    await expect.poll(async () => (await api.ask('GET', '/readyz')).status).toBe(200)
  },
)

test.skipIf(inject('redisUrl') === null)('while Redis is away runs are still taken, and the process is not ready', async () => {
  const proxy = await startFlakyProxy(inject('redisUrl') ?? '', { seed: 1, share: 0 })
  await using api = await openApi({ ...testApp, redisUrl: proxy.url.replace('http:', 'redis:') })
  expect((await api.ask('GET', '/readyz')).status).toBe(200)
  await proxy[Symbol.asyncDispose]()
  await expect
    .poll(() => api.ask('GET', '/readyz'))
    .toMatchObject({ status: 503, body: { status: 'not ready', checks: { store: 'ok', queue: 'does not answer' } } })
  const id = await api.create('work')
  expect(await api.show(id)).toMatchObject({ status: 'queued' })
  expect((await api.ask('GET', '/metrics')).status).toBe(200)
})
