import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { createClient, openApi, problem } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const testApp = { jobs: { work: WORK, strict: WORK }, scripts: { scripted: WORK_SCRIPT } }
const key = (name: string) => ({ headers: { 'idempotency-key': name } })

test('a key stands for one run of its caller for 24 hours', async () => {
  await using api = await openApi(testApp)
  const first = await api.create('work', { input: { n: 1, any: 'a' } }, key('k'))
  // Written in another order, it is the same request.
  expect(await api.create('work', { input: { any: 'a', n: 1 } }, key('k'))).toBe(first)
  const another = await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 2 } }, ...key('k') })
  expect([another.status, problem.parse(another.body).code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
  const elsewhere = await api.ask('POST', '/v1/jobs/strict/runs', { body: { input: { n: 1, any: 'a' } }, ...key('k') })
  expect(elsewhere.status).toBe(422)
  expect(await api.create('work', { input: { n: 1, any: 'a' } }, { who: 'runsAll', ...key('k') })).not.toBe(first)

  await query(api.testApp.database.db, "update idempotency_keys set created_at = created_at - interval '23 hours 59 minutes'")
  expect(await api.create('work', { input: { n: 1, any: 'a' } }, key('k'))).toBe(first)
  await query(api.testApp.database.db, "update idempotency_keys set created_at = created_at - interval '2 minutes'")
  const later = await api.create('work', { input: { n: 2 } }, key('k'))
  expect(later).not.toBe(first)
  expect(await api.create('work', { input: { n: 2 } }, key('k'))).toBe(later)
})

test('requests in flight at once with one key are one run and one answer', async () => {
  await using api = await openApi(testApp)
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 1 } }, ...key('same') })),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1)
  expect(await query(api.testApp.database.db, 'select count(*)::int as n from runs')).toEqual([{ n: 1 }])
})

test('a key stands for one run also when two replicas are asked at once', async () => {
  await using api = await openApi(testApp)
  const other = (await api.testApp.replica()).createApiServer()
  await other?.start()
  const clients = [api.ask, await createClient(other?.url() ?? '')]
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => clients[n % 2]?.('POST', '/v1/jobs/work/runs', { body: {}, ...key(`k${n >> 2}`) })),
  )
  expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([202]))
  expect(new Set(answers.map((answer) => answer?.text)).size).toBe(10)
  expect(await query(api.testApp.database.db, 'select count(*)::int as n from runs')).toEqual([{ n: 10 }])
})

test('a request that is sent again is told how its run stands', async () => {
  await using api = await openApi(testApp)
  await api.testApp.app.worker.start()
  const id = await api.create('work', {}, key('k'))
  await api.over(id)
  const again = await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key('k') })
  expect(again.body).toEqual({ id, job: 'work', status: 'succeeded' })
})

test('a key that is no key is refused', async () => {
  await using api = await openApi(testApp)
  for (const name of ['', ' ', 'a b', 'x'.repeat(256), 'é']) {
    const { status, body } = await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key(name) })
    expect([status, problem.parse(body).code], name).toEqual([400, 'REQUEST_INVALID'])
  }
})

test('a full queue refuses new runs with Retry-After, and still finds the run of a known key', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 3 } })
  const first = await api.create('work', {}, key('k'))
  await api.create('work')
  await api.create('work')
  // The count is believed for a quarter of a second.
  await expect.poll(async () => (await api.ask('POST', '/v1/jobs/work/runs', { body: {} })).status).toBe(429)
  const refused = await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key('new') })
  expect([refused.status, problem.parse(refused.body).code]).toEqual([429, 'QUEUE_FULL'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await api.create('work', {}, key('k'))).toBe(first)
  await api.testApp.app.worker.start()
  await api.over(first)
  await expect.poll(async () => (await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key('new') })).status).toBe(202)
})
