import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { actSchema } from '../../../src/api/schemas/acts.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { openApi, problem, type Api, type Ask, type Who } from '../../support/app/api.ts'
import { describeBackends } from '../../support/app/backends.ts'
import { startReceiver } from '../../support/delivery/receiver.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { countingJob, WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const COUNTING = countingJob({ model: 'counted', retry: '{ attempts: 1 }', more: 'input: { type: object }' })

const page = z.object({
  runs: z.array(z.looseObject({ id: z.string(), job: z.string(), status: z.string() })),
  nextCursor: z.string().nullable(),
})

async function list(api: Api, search = ''): Promise<string[]> {
  return page.parse((await api.ask('GET', `/v1/runs${search}`)).body).runs.map(({ id }) => id)
}

const codeOf = async (api: Api, path: string, ask: Ask = { body: {} }) => {
  const { status, body } = await api.ask('POST', path, ask)
  return [status, problem.parse(body).code]
}

test('a run is asked for, waited for and read', async () => {
  const data = WORK.replace('name: scripted', 'name: data') + 'output: { schema: { type: object, required: [sum] } }\n'
  await using api = await openApi({ jobs: { work: WORK, data }, scripts: { scripted: WORK_SCRIPT, data: 'say {"sum": 3}' } })
  const asked = await api.ask('POST', '/v1/jobs/work/runs', { body: { input: { n: 1 } }, who: 'runner' })
  const { id } = z.object({ id: z.string() }).parse(asked.body)
  expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/runs/${id}`])
  expect(asked.body).toEqual({ id, job: 'work', status: 'queued' })
  expect((await api.ask('GET', `/v1/runs/${id}/output`)).body).toMatchObject({ status: 404, code: 'OUTPUT_MISSING' })
  // Nobody works yet: the wait ends with its time.
  expect((await api.ask('GET', `/v1/runs/${id}?wait=1`)).body).toMatchObject({ status: 'queued' })
  const waiting = api.ask('GET', `/v1/runs/${id}?wait=60`)
  await api.testApp.app.worker.start()
  expect((await waiting).body).toMatchObject({
    id,
    status: 'succeeded',
    requestedBy: 'token:runner',
    trigger: { kind: 'api' },
    input: { n: 1 },
    outputText: 'Done it.',
    toolCalls: [{ tool: 'describe_tables', status: 'ok' }],
  })
  const text = await api.ask('GET', `/v1/runs/${id}/output`)
  expect([text.text, text.headers.get('content-type'), text.headers.get('content-disposition')]).toEqual([
    'Done it.',
    'text/markdown; charset=utf-8',
    'attachment',
  ])
  const other = await api.create('data')
  await api.over(other)
  expect((await api.ask('GET', `/v1/runs/${other}/output`)).body).toEqual({ sum: 3 })
  // Asked for and waited for in one.
  const done = await api.ask('POST', '/v1/jobs/data/runs?wait=60')
  const { id: third } = z.object({ id: z.string() }).parse(done.body)
  expect([done.status, done.headers.get('location')]).toEqual([200, `/v1/runs/${third}`])
  expect(done.body).toEqual({ id: third, job: 'data', status: 'incomplete', run: await api.show(third) })
  const jobs = z.object({ jobs: z.array(z.looseObject({ name: z.string() })) }).parse((await api.ask('GET', '/v1/jobs')).body)
  expect(jobs.jobs.map(({ name }) => name)).toEqual(['data', 'work'])
})

test('runs are listed newest first, a page at a time, by every filter', async () => {
  const fails = WORK.replace('name: scripted', 'name: fails')
  await using api = await openApi({
    jobs: { work: WORK, fails },
    scripts: { scripted: 'say Purple herrings.', fails: 'always fail 401 invalid_api_key' },
  })
  const ids: string[] = []
  for (const _ of [1, 2, 3, 4, 5]) ids.unshift(await api.create('work'))
  ids.unshift(await api.create('fails', {}, { who: 'runsAll' }))
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const next: z.output<typeof page> = page.parse((await api.ask('GET', `/v1/runs?limit=2${cursor && `&cursor=${cursor}`}`)).body)
    seen.push(...next.runs.map(({ id }) => id))
    // One that is new does not shift the pages.
    if (cursor === '') await api.create('work')
    cursor = next.nextCursor
  }
  expect(seen).toEqual(ids)

  const [failed = '', newest = ''] = ids
  await query(api.testApp.database.db, "update runs set created_at = now() - interval '2 hours' where id = $1", [newest])
  const hourAgo = encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString().replace('Z', '+00:00'))
  expect(await list(api, `?until=${hourAgo}`)).toEqual([newest])
  expect(await list(api, `?since=${hourAgo}&job=work`)).not.toContain(newest)
  expect(await list(api, '?job=fails')).toEqual([failed])
  expect(await list(api, '?requestedBy=token:runsAll')).toEqual([failed])
  expect(await list(api, '?status=queued')).toHaveLength(7)
  await api.testApp.app.worker.start()
  for (const id of ids) await api.over(id)
  expect(await list(api, '?status=failed')).toEqual([failed])
  for (const several of ['?status=failed,queued', '?status=failed&status=queued'])
    expect(await list(api, several), several).toEqual([failed])
  for (const several of ['?status=notGreen', '?status=failed,incomplete', '?status=notGreen,queued&status=failed'])
    expect(await list(api, several), several).toHaveLength(7)
  expect(await list(api, '?code=MODEL_AUTH')).toEqual([failed])
  expect(await list(api, '?text=purple%20herrings')).toEqual(expect.arrayContaining(ids.slice(1)))
  expect(await list(api, '?text=%22herrings%20purple%22')).toEqual([])
  expect(await list(api, '?tool=labor.describe_tables')).toEqual([])
  expect(await list(api, '?job=work&status=succeeded&text=herrings&requestedBy=nobody')).toEqual([])
})

test('runs are found by the tool that they called', async () => {
  await using api = await openApi({
    jobs: { work: WORK, plain: WORK.replace('scripted', 'plain') },
    scripts: { scripted: WORK_SCRIPT, plain: 'say No.' },
  })
  await api.testApp.app.worker.start()
  const [called, quiet] = [await api.create('work'), await api.create('plain')]
  await Promise.all([api.over(called), api.over(quiet)])
  expect(await list(api, '?tool=labor.describe_tables')).toEqual([called])
})

describeBackends('asking for runs', ({ redisUrl }) => {
  test('the higher priority starts first, and no run before its startAt', async () => {
    await using api = await openApi({
      redisUrl,
      jobs: { work: WORK },
      scripts: { scripted: 'say Done.' },
      config: { worker: { concurrency: 1 } },
    })
    const startAt = new Date(Date.now() + 1500)
    const later = await api.create('work', { startAt: startAt.toISOString(), priority: 'high' })
    const farOff = await api.create('work', { startAt: new Date(Date.now() + 90 * 86_400_000).toISOString() })
    const wanted: string[] = []
    for (const priority of ['low', 'normal', 'high']) wanted.unshift(await api.create('work', { priority }))
    // A wake may still be on its way when the request is answered.
    await api.testApp.app.producer.flush()
    await api.testApp.app.worker.start()
    const runs = await Promise.all([...wanted, later].map((id) => api.over(id)))
    const order = runs.toSorted((a, b) => String(a.startedAt).localeCompare(String(b.startedAt))).map(({ id }) => id)
    expect(order.filter((id) => id !== later)).toEqual(wanted)
    const delayed = runs.find(({ id }) => id === later)
    expect(Date.parse(delayed?.startedAt ?? '')).toBeGreaterThanOrEqual(startAt.getTime())
    expect(await api.show(farOff)).toMatchObject({ status: 'queued', attempts: [] })
  })

  test('a run that nobody took before its expireAt fails with EXPIRED, and may be retried', async () => {
    await using api = await openApi({ redisUrl, jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
    const id = await api.create('work', { expireAt: new Date(Date.now() - 1000).toISOString() })
    const inTime = await api.create('work', { expireAt: new Date(Date.now() + 600_000).toISOString() })
    await api.testApp.app.worker.start()
    expect(await api.over(id)).toMatchObject({ status: 'failed', failure: { code: 'EXPIRED' }, attempts: [] })
    expect(await api.over(inTime)).toMatchObject({ status: 'succeeded' })
    await api.ask('POST', `/v1/runs/${id}/retry`, { body: {} })
    expect(await api.over(id)).toMatchObject({ status: 'succeeded', failure: null })
  })

  test('a cancel reaches a run in another replica within two seconds, and a queued run at once', async () => {
    await using server = await startCountingServer()
    await using api = await openApi({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { work: COUNTING },
      scripts: { counted: 'call counting__act {"n": 1}\nsay Done.' },
      config: { worker: { concurrency: 1 } },
    })
    const release = Promise.withResolvers<string>()
    server.answer = () => release.promise
    const replica = await api.testApp.replica()
    await replica.worker.start()
    const called = server.nextCall()
    const running = await api.create('work')
    await called
    const queued = await api.create('work')
    expect((await api.ask('POST', `/v1/runs/${queued}/cancel`, { who: 'runner' })).body).toMatchObject({ status: 'cancelled' })
    const asked = Date.now()
    expect((await api.ask('POST', `/v1/runs/${running}/cancel`)).body).toMatchObject({ status: 'running' })
    const run = await api.over(running)
    expect(run.status).toBe('cancelled')
    expect(Date.parse(run.finishedAt ?? '') - asked).toBeLessThan(2000)
    release.resolve('late')
    // One that is over stays as it is.
    expect((await api.ask('POST', `/v1/runs/${running}/cancel`)).body).toMatchObject({ status: 'cancelled' })
    expect(server.effects).toHaveLength(1)
    expect(await api.show(queued)).toMatchObject({ status: 'cancelled', attempts: [] })
  })

  /** It needs nothing of its server. */
  const unread = WORK.replace('repeatable: [describe_tables]', 'repeatable: [describe_tables], minCalls: 0')

  test('a retry goes on with the pinned or the latest job, and what was before stays readable', async () => {
    await using api = await openApi({
      redisUrl,
      jobs: { work: unread },
      scripts: { scripted: 'truncate Half of', newer: 'say Whole.' },
    })
    await api.testApp.app.worker.start()
    const id = await api.create('work', { input: { n: 7 } })
    const before = await api.over(id)
    expect(before).toMatchObject({ status: 'incomplete', outputText: expect.stringContaining('Half of') })
    writeFileSync(join(api.testApp.dir, 'jobs', 'work.yaml'), unread.replace('scripted', 'newer'))
    api.testApp.app.jobs.reload()

    expect((await api.ask('POST', `/v1/runs/${id}/retry`, { body: { definition: 'pinned' } })).status).toBe(202)
    const pinned = await api.over(id)
    expect([pinned.status, pinned.jobVersion, pinned.attempts.length]).toEqual(['incomplete', before.jobVersion, 2])

    const latest = await api.ask('POST', `/v1/runs/${id}/retry`)
    expect([latest.status, latest.headers.get('location'), latest.body]).toEqual([
      202,
      `/v1/runs/${id}`,
      { id, job: 'work', status: 'queued' },
    ])
    const after = await api.over(id)
    expect(after).toMatchObject({ id, status: 'succeeded', outputText: 'Whole.', input: { n: 7 }, retryOf: null })
    expect(after.jobVersion).not.toBe(before.jobVersion)
    expect(
      after.attempts.map(({ number, status, outputText, reasons }) => [number, status, outputText, reasons?.map(({ code }) => code)]),
    ).toEqual([
      [1, 'incomplete', before.outputText, before.reasons.map(({ code }) => code)],
      [2, 'incomplete', before.outputText, before.reasons.map(({ code }) => code)],
      [3, 'succeeded', null, undefined],
    ])
    expect(after.turns.map(({ attempt }) => attempt)).toEqual([1, 2, 3])

    expect(await codeOf(api, `/v1/runs/${id}/retry`)).toEqual([409, 'RUN_NOT_RETRYABLE'])
    const other = await api.ask('POST', `/v1/runs/${id}/retry`, { body: { input: { n: 8 } } })
    const { id: otherId } = z.object({ id: z.string() }).parse(other.body)
    expect(otherId).not.toBe(id)
    expect(await api.over(otherId)).toMatchObject({ retryOf: id, input: { n: 8 }, requestedBy: 'token:operator', trigger: { kind: 'api' } })
    expect(await codeOf(api, `/v1/runs/${id}/retry`, { body: { input: { n: 'x' } } })).toEqual([422, 'INPUT_INVALID'])
  })

  test('a bulk retry counts first, queues what its filter means, and never a green run', async () => {
    const auth = WORK.replace('name: scripted', 'name: auth')
    await using api = await openApi({
      redisUrl,
      jobs: { work: WORK, auth },
      scripts: { scripted: WORK_SCRIPT, auth: 'always fail 401 invalid_api_key' },
    })
    await api.testApp.app.worker.start()
    const green = await api.create('work')
    const failed = [await api.create('auth'), await api.create('auth')]
    const cancelled = await api.create('auth', { startAt: new Date(Date.now() + 600_000).toISOString() })
    await api.ask('POST', `/v1/runs/${cancelled}/cancel`)
    for (const id of [green, ...failed]) await api.over(id)
    const bulk = async (filter: unknown, dryRun = false) =>
      (await api.ask('POST', '/v1/runs/bulk-retry', { body: { filter, dryRun } })).body
    const groups = [
      { job: 'auth', status: 'failed', code: 'MODEL_AUTH', runs: 2 },
      { job: 'auth', status: 'cancelled', code: 'CANCELLED', runs: 1 },
    ]
    expect(await bulk({ since: '2020-01-01T00:00:00Z' }, true)).toEqual({ count: 3, dryRun: true, groups })
    expect(await bulk({ status: ['notGreen'] }, true)).toEqual({ count: 3, dryRun: true, groups })
    expect(await bulk({ job: 'work' })).toEqual({ count: 0, dryRun: false, groups: [] })
    expect((await api.show(failed[0] ?? '')).status).toBe('failed')
    expect(await bulk({ status: ['failed'], code: 'MODEL_AUTH', job: 'auth' })).toMatchObject({ count: 2, dryRun: false })
    for (const id of failed) expect(await api.over(id)).toMatchObject({ attempts: [{ status: 'failed' }, { status: 'failed' }] })
    expect(await api.show(green)).toMatchObject({ status: 'succeeded', attempts: [{}] })
    expect((await api.show(cancelled)).status).toBe('cancelled')
  })

  test('a bulk cancel counts first, ends what its filter means and is not over, and is one act', async () => {
    const other = WORK.replace('name: scripted', 'name: other')
    await using api = await openApi({
      redisUrl,
      jobs: { work: WORK, other },
      scripts: { scripted: WORK_SCRIPT, other: 'say Done.' },
    })
    await api.testApp.app.worker.start()
    const green = await api.create('work')
    await api.over(green)
    await api.testApp.app.worker.stop()
    const mine = [await api.create('work'), await api.create('work', { startAt: inMinutes(10) })]
    const theirs = await api.create('other')
    const bulk = async (filter: unknown, dryRun = false, who: Who = 'runner') =>
      (await api.ask('POST', '/v1/runs/bulk-cancel', { who, body: { filter, dryRun, reason: 'the wrong month' } })).body
    const groups = [{ job: 'work', status: 'queued', code: null, runs: 2 }]
    // A runner of one job: what is of another is not there.
    expect(await bulk({ since: '2020-01-01T00:00:00Z' }, true)).toEqual({ count: 2, dryRun: true, groups })
    expect(await bulk({ job: 'other' })).toEqual({ count: 0, dryRun: false, groups: [] })
    expect(await bulk({ status: ['queued'] })).toEqual({ count: 2, dryRun: false, groups })
    expect(await bulk({ status: ['queued'] })).toEqual({ count: 0, dryRun: false, groups: [] })
    for (const id of mine)
      expect(await api.show(id)).toMatchObject({
        status: 'cancelled',
        acts: [{ act: 'cancel', by: 'token:runner', reason: 'the wrong month' }],
      })
    expect([(await api.show(green)).status, (await api.show(theirs)).status]).toEqual(['succeeded', 'queued'])
    expect((await api.ask('GET', '/v1/acts')).body).toMatchObject({ acts: [{ act: 'cancel', runs: 2, jobs: ['work'] }] })
    expect(await bulk({ job: 'other' }, false, 'operator')).toMatchObject({ count: 1 })
  })
})

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()

test('who changed what is in the store, on the run and in the log; who only looked is not, and who was refused is in the log alone', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: 'always fail 401 invalid_api_key' } })
  const lineSchema = z.looseObject({
    msg: z.string(),
    by: z.string().optional(),
    act: z.string().optional(),
    origin: z.string().optional(),
  })
  const logged = (msg: string) => api.testApp.log.map((line) => lineSchema.parse(JSON.parse(line))).filter((line) => line.msg === msg)
  const listed = async (who: Who, search = '') =>
    z
      .object({ acts: z.array(actSchema), nextCursor: z.string().nullable() })
      .parse((await api.ask('GET', `/v1/acts${search}`, { who })).body)
  await api.testApp.app.worker.start()
  const id = await api.create('work')
  await api.over(id)
  for (const [method, path, body, who] of [
    ['GET', `/v1/runs/${id}`, undefined, 'viewer'],
    ['POST', `/v1/runs/${id}/retry`, {}, 'viewer'],
    ['POST', '/v1/runs/bulk-retry', { filter: { job: 'work' }, dryRun: true }, 'operator'],
    // There is nothing to cancel any more.
    ['POST', `/v1/runs/${id}/cancel`, { reason: 'too late' }, 'runner'],
  ] as const)
    await api.ask(method, path, { who, body })
  expect(await listed('viewer')).toEqual({ acts: [], nextCursor: null })
  expect(logged('A caller was refused.')).toMatchObject([{ by: 'token:viewer', origin: '127.0.0.1', code: 'FORBIDDEN' }])

  await api.testApp.app.worker.stop()
  for (const [path, body, who] of [
    [`/v1/runs/${id}/retry`, { reason: 'the key is mended' }, 'operator'],
    [`/v1/runs/${id}/cancel`, { reason: 'not yet' }, 'runner'],
    ['/v1/runs/bulk-retry', { filter: { job: 'work' }, reason: 'now' }, 'operator'],
    ['/v1/schedules/work/pause', { reason: 'x' }, 'operatorOfWork'],
    ['/v1/schedules/work/resume', undefined, 'operator'],
    [`/v1/runs/${id}/cancel`, undefined, 'runner'],
  ] as const)
    expect((await api.ask('POST', path, { who, body, headers: { 'x-request-id': 'asked-by-test' } })).status, path).toBeLessThan(300)
  const { acts } = await listed('viewer')
  expect(acts.toReversed().map(({ act, by, role, reason, runs, jobs }) => [act, by, role, reason, runs, jobs.join()])).toEqual([
    ['retry', 'token:operator', 'operator', 'the key is mended', 1, 'work'],
    ['cancel', 'token:runner', 'runner', 'not yet', 1, 'work'],
    ['retry', 'token:operator', 'operator', 'now', 1, 'work'],
    ['pause', 'token:operatorOfWork', 'operator', 'x', 0, 'work'],
    ['resume', 'token:operator', 'operator', null, 0, 'work'],
    ['cancel', 'token:runner', 'runner', null, 1, 'work'],
  ])
  const lastAt = acts[0]?.at ?? ''
  expect((await listed('viewer', `?since=${lastAt}`)).acts).toEqual(acts.slice(0, 1))
  expect((await listed('viewer', `?until=${lastAt}`)).acts).toEqual(acts.slice(1))
  for (const act of acts) expect(act).toMatchObject({ via: 'api', origin: '127.0.0.1', requestId: 'asked-by-test' })
  expect(
    logged('A caller changed something.')
      .slice(1)
      .map(({ act, by }) => [act, by]),
  ).toEqual(acts.toReversed().map(({ act, by }) => [act, by]))
  const run = await api.show(id)
  expect(run.acts.map(({ act, conversation, attempt }) => [act, conversation, attempt])).toEqual([
    ['retry', 1, 1],
    ['cancel', 2, 1],
    ['retry', 2, 1],
    ['cancel', 3, 1],
  ])
  expect(run.earlierEnds.map(({ conversation, status }) => [conversation, status])).toEqual([
    [1, 'failed'],
    [2, 'cancelled'],
  ])

  const newest = await listed('operator', '?limit=2')
  expect(newest.acts).toEqual(acts.slice(0, 2))
  expect((await listed('operator', `?limit=500&cursor=${newest.nextCursor}`)).acts).toEqual(acts.slice(2))
  expect((await listed('operator', '?by=token:runner')).acts.map(({ act }) => act)).toEqual(['cancel', 'cancel'])
})

test('a run says what became of its reports, to whoever sees the run', async () => {
  await using receiver = await startReceiver(() => 503)
  await using api = await openApi({
    jobs: { work: `${WORK}deliver: [{ webhook: team }, { file: weekly, when: notGreen }]\n`, other: WORK },
    scripts: { scripted: WORK_SCRIPT },
    config: { webhooks: { team: { url: receiver.url, secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}` } } },
  })
  const id = await api.create('work', { input: { n: 1 } })
  expect((await api.ask('GET', `/v1/runs/${id}/reports`)).body).toEqual({ reports: [] })
  await api.testApp.app.worker.start()
  await api.over(id)
  await api.testApp.app.worker.stop()
  await api.testApp.app.outbox.round()
  expect((await api.ask('GET', `/v1/runs/${id}/reports`, { who: 'runner' })).body).toEqual({
    reports: expect.arrayContaining([
      expect.objectContaining({
        runId: id,
        target: { kind: 'webhook', name: 'team' },
        status: 'pending',
        tries: 1,
        error: 'HTTP 503',
        nextTryAt: expect.any(String),
      }),
      expect.objectContaining({ target: { kind: 'file', dir: 'weekly' }, status: 'skipped', tries: 0, nextTryAt: null }),
    ]),
  })
  const ids = receiver.received.map(({ headers }) => String(headers['webhook-id']))
  expect((await api.ask('GET', `/v1/runs/${id}/reports`)).text).toContain(`"id":"${ids[0]}"`)
  const other = await api.create('other')
  expect((await api.ask('GET', `/v1/runs/${other}/reports`, { who: 'runner' })).status).toBe(404)
})
