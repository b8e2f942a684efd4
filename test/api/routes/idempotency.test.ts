import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { createClient, openApi, problem, type Who } from '../../support/app/api.ts'
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
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  const other = await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key('k2') })
  expect(other.headers.get('idempotent-replayed')).toBeNull()
  // How long to wait for it is not part of what was asked.
  const waited = await api.ask('POST', '/v1/jobs/work/runs?wait=30', { body: {}, ...key('k') })
  expect([waited.status, waited.body]).toEqual([200, { id, job: 'work', status: 'succeeded', run: await api.show(id) }])
  expect(waited.headers.get('idempotent-replayed')).toBe('true')
})

test('a key that is no key is refused', async () => {
  await using api = await openApi(testApp)
  for (const name of ['', ' ', 'a b', 'x'.repeat(256), 'é']) {
    const { status, body } = await api.ask('POST', '/v1/jobs/work/runs', { body: {}, ...key(name) })
    expect([status, problem.parse(body).code], name).toEqual([400, 'REQUEST_INVALID'])
  }
})

test('a full queue refuses new runs with Retry-After, and still finds the run of a known key', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 3, sharePercent: 100 } })
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

test('a request that is sent again finds its run whatever became of the job, and a new one does not', async () => {
  await using api = await openApi(testApp)
  const id = await api.create('work', { input: { n: 1 } }, key('k'))
  const file = join(api.testApp.dir, 'jobs', 'work.yaml')
  const reload = () => expect(api.testApp.app.jobs.reload()).toBe(true)
  writeFileSync(file, WORK.replace('input: { type: object,', 'input: { type: object, required: [more],'))
  reload()
  expect(await api.create('work', { input: { n: 1 } }, key('k'))).toBe(id)
  expect((await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 1 } }, ...key('new') })).status).toBe(422)
  rmSync(file)
  reload()
  expect(await api.create('work', { input: { n: 1 } }, key('k'))).toBe(id)
  expect((await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 2 } }, ...key('k') })).status).toBe(422)
  expect((await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 1 } }, ...key('new') })).status).toBe(404)
})

test('a retry with other input is a request like any other: once for its key, and not beyond the limit', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 2, sharePercent: 100 } })
  const id = await api.create('work', { input: { n: 1 } })
  const retry = (n: number, name: string) => api.ask('POST', `/v1/runs/${id}/retry`, { body: { input: { n } }, ...key(name) })
  const first = await retry(2, 'k')
  const again = await retry(2, 'k')
  expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([202, first.body, 'true'])
  expect([first.headers.get('idempotent-replayed'), again.headers.get('location')]).toEqual([null, first.headers.get('location')])
  expect(problem.parse((await retry(3, 'k')).body).code).toBe('IDEMPOTENCY_MISMATCH')
  // The same input asked for by itself is another request.
  const alone = await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 2 } }, ...key('k') })
  expect(problem.parse(alone.body).code).toBe('IDEMPOTENCY_MISMATCH')
  expect(problem.parse((await retry(4, 'k4')).body).code).toBe('QUEUE_FULL')
  expect(await query(api.testApp.database.db, 'select count(*)::int as n from runs')).toEqual([{ n: 2 }])
})

test('a key whose run was removed is free, for one request of those that come at once', async () => {
  await using api = await openApi(testApp)
  const { db } = api.testApp.database
  const gone = await api.create('work', {}, key('k'))
  await query(db, 'delete from runs')
  const ids = await Promise.all(Array.from({ length: 12 }, () => api.create('work', {}, key('k'))))
  expect(new Set(ids).size).toBe(1)
  expect(ids[0]).not.toBe(gone)
  expect(await query(db, 'select id from runs')).toEqual([{ id: ids[0] }])
})

test('of many requests at once no more are taken than may be queued', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 10, sharePercent: 100 } })
  for (let n = 0; n < 5; n++) await api.create('work')
  const answers = await Promise.all(Array.from({ length: 100 }, () => api.ask('POST', '/v1/jobs/work/runs', { body: {} })))
  expect(answers.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(5)
  expect(await query(api.testApp.database.db, 'select count(*)::int <= 10 as few from runs')).toEqual([{ few: true }])
})

test('runs that wait for their time or for a pause shut out nobody but who asked for them', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 8, maxAhead: 8 } })
  const startAt = new Date(Date.now() + 86_400_000).toISOString()
  const ask = async (who: Who, job: string, body: unknown = {}) => {
    const answer = await api.ask('POST', `/v1/jobs/${job}/runs`, { who, body })
    return answer.status === 202 ? 202 : problem.parse(answer.body).code
  }
  for (let n = 0; n < 4; n++) expect(await ask('runsAll', 'work', { startAt })).toBe(202)
  await expect.poll(() => ask('runsAll', 'work', { startAt })).toBe('QUEUE_FULL')
  expect(await ask('runsAll', 'work')).toBe('QUEUE_FULL')
  expect(await ask('runsAll', 'strict')).toBe(202)
  await api.testApp.app.worker.start()
  await api.over(await api.create('strict'))
  // A pause holds a run as soon as a worker looks at it; then it takes no place of the runs that may start.
  await api.ask('POST', '/v1/schedules/work/pause', { body: { reason: 'data move' } })
  for (let n = 0; n < 4; n++) await expect.poll(() => ask('runner', 'work')).toBe(202)
  await expect
    .poll(() => query(api.testApp.database.db, 'select count(*)::int as n from runs where held_by is not null'))
    .toEqual([{ n: 4 }])
  await expect.poll(() => ask('runner', 'work')).toBe('QUEUE_FULL')
  await expect.poll(() => ask('operator', 'strict')).toBe(202)
})

test('who has a share of the queue is told whose it is, and others go on', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 8, maxAhead: 8 } })
  const ask = async (who: Who, job: string, body: unknown = {}) => {
    const { status, headers, body: said } = await api.ask('POST', `/v1/jobs/${job}/runs`, { who, body })
    return status === 202 ? 202 : { ...problem.parse(said), after: headers.get('retry-after') }
  }
  for (let n = 0; n < 4; n++) expect(await ask('runsAll', n < 2 ? 'work' : 'strict')).toBe(202)
  expect(await ask('runsAll', 'strict')).toMatchObject({
    code: 'QUEUE_FULL',
    detail: '4 runs that token:runsAll asked for are queued. The most of one caller is 4: 50 % (api.sharePercent) of 8 (api.maxQueued).',
    after: '5',
  })
  for (let n = 0; n < 2; n++) expect(await ask('runner', 'work')).toBe(202)
  expect(await ask('operator', 'work')).toMatchObject({ detail: expect.stringMatching(/^4 runs of job work are queued/) })
  for (let n = 0; n < 2; n++) expect(await ask('operator', 'strict')).toBe(202)
  expect(await ask('runner', 'strict')).toMatchObject({ code: 'QUEUE_FULL' })
  const startAt = new Date(Date.now() + 86_400_000).toISOString()
  for (let n = 0; n < 4; n++) expect(await ask('runsAll', 'work', { startAt })).toBe(202)
  expect(await ask('runsAll', 'strict', { startAt })).toMatchObject({
    detail: expect.stringMatching(/^4 runs that token:runsAll asked for are queued for later: .* of 8 \(api\.maxAhead\)\.$/),
    cure: 'Cancel some of them, lift what holds them, or raise api.maxAhead or api.sharePercent.',
    after: '60',
  })
})
