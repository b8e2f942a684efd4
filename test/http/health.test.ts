import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { addHealth } from '../../src/http/health.ts'
import { query } from '../../src/store/postgres/db.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }

test('ready while store and queue answer, whatever the gateway does, and not any more once it drains', async () => {
  await using api = await openApi(testApp)
  const ask = async (path: string) => {
    const { status, body } = await api.ask('GET', path, { who: 'nobody' })
    return { status, body }
  }
  expect(await ask('/livez')).toEqual({ status: 200, body: { status: 'ok' } })
  const ready = { status: 200, body: { status: 'ok', checks: { store: 'ok', queue: 'ok', clock: 'ok' }, duties: {} } }
  expect(await ask('/readyz')).toEqual(ready)
  await api.testApp.world.gateway[Symbol.asyncDispose]()
  expect(await ask('/readyz')).toEqual(ready)
  api.server.drain()
  expect(await ask('/readyz')).toEqual({
    status: 503,
    body: { status: 'draining', checks: { store: 'ok', queue: 'ok', clock: 'ok' }, duties: {} },
  })
  expect(await ask('/livez')).toMatchObject({ status: 200 })
  // What is under way may still be read and asked for until the end.
  expect((await api.ask('GET', '/v1/runs')).status).toBe(200)
  await api.server.stop()
  await api.server.stop()
  await expect(fetch(`${api.url}/livez`)).rejects.toThrow()
})

test.each([
  ['rejects', () => Promise.reject(new Error('password: canary'))],
  [
    'throws at once',
    () => {
      throw new Error('canary')
    },
  ],
] as const)('not ready when a part %s, and nothing is said of why', async (_, store) => {
  const app = new Hono()
  addHealth(app, { checks: { store, queue: async () => 1 }, duties: () => [], skewMs: () => undefined, isDraining: () => false })
  const answer = await app.request('/readyz')
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { status: 'not ready', checks: { store: 'does not answer', queue: 'ok', clock: 'ok' }, duties: {} },
  ])
})

test('not ready while a part is silent', async () => {
  const app = new Hono()
  const silent = Promise.withResolvers<never>()
  addHealth(app, { checks: { queue: () => silent.promise }, duties: () => [], skewMs: () => undefined, isDraining: () => false })
  const answer = await app.request('/readyz')
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { status: 'not ready', checks: { queue: 'does not answer', clock: 'ok' }, duties: {} },
  ])
})

test('not ready while Postgres answers and takes no row, such as with a full disk', async () => {
  await using api = await openApi(testApp)
  const { db } = api.testApp.app
  await query(
    db,
    "create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'full' using errcode = '53100'; end $$",
  )
  await query(db, 'create trigger full_disk before insert on pauses execute function full_disk()')
  const ready = () => api.ask('GET', '/readyz')
  expect(await ready()).toMatchObject({ status: 503, body: { checks: { store: 'does not answer', queue: 'ok' } } })
  await query(db, 'drop trigger full_disk on pauses')
  expect(await Promise.all(Array.from({ length: 8 }, ready))).toEqual(
    Array.from({ length: 8 }, () => expect.objectContaining({ status: 200 })),
  )
  expect(await query(db, 'select 1 from pauses')).toEqual([])
})

test('a process without the API serves health and metrics alone', async () => {
  await using api = await openApi(testApp)
  const other = (await api.testApp.replica()).createHealthServer()
  await other?.start()
  const statusOf = async (path: string) => (await fetch(`${other?.url()}${path}`)).status
  expect(await Promise.all(['/livez', '/readyz', '/metrics', '/v1/runs', '/openapi.json'].map(statusOf))).toEqual([200, 200, 200, 404, 404])
})

test('a port that is taken, or is none, is a fault of the configuration', async () => {
  await using api = await openApi(testApp)
  const port = new URL(api.url).port
  for (const listen of [`127.0.0.1:${port}`, '127.0.0.1:99999'])
    await expect(openApi({ ...testApp, api_: { listen } }), listen).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
