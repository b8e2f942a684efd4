// @ts-nocheck
import { expect, inject, test } from 'vitest'
import { openDb, query } from '../../src/store/postgres/db.ts'
import { openApi, problem } from '../support/app/api.ts'
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
