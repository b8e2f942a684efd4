import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { listFires } from '../../../src/store/schedules/fires.ts'
import { openApi } from '../../support/app/api.ts'
import { queueStates } from '../../support/app/backends.ts'
import { hasRedisServer, startOwnRedis, startWayTo } from '../../support/app/outage.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { freePort } from '../../support/net/listen.ts'

const job = (more = '') => `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], required: false }
${more}`

async function openFreezable() {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-redis-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const redis = building.use(await startOwnRedis(dir, await freePort()))
  const jobs = { work: job(), secondly: job('schedule: { cron: "* * * * *", timezone: UTC, overlap: queue }') }
  const api = building.use(await openApi({ redisUrl: redis.url, jobs, scripts: { scripted: 'say done' } }))
  const stack = building.move()
  return { redis, api, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe.skipIf(!hasRedisServer())('a Redis that takes connections and answers nothing', () => {
  test('stops no schedule and no request, and what came meanwhile is done once it answers', async () => {
    await using at = await openFreezable()
    const { app } = at.api.testApp
    // No file can ask for a fire each second; a scheduler can make them.
    Object.assign(app.jobs.jobs().get('secondly')?.definition.schedule ?? {}, { cron: '* * * * * *' })
    const fires = async () => (await listFires(app.db, 'secondly')).length
    await Promise.all([app.scheduler.start(), app.sweeper.start(), app.worker.start()])
    await expect.poll(fires, { timeout: 20_000 }).toBeGreaterThan(0)

    at.redis.freeze()
    const before = await fires()
    const id = await at.api.create('work')
    await expect.poll(fires, { timeout: 20_000 }).toBeGreaterThan(before + 3)
    expect(app.sweeper.state().failures).toBe(0)
    await app.scheduler.stop()
    at.redis.thaw()

    expect(await at.api.over(id)).toMatchObject({ status: 'succeeded' })
    await expect
      .poll(() => query(app.db, 'select count(*)::int as n from runs where finished_at is null'), { timeout: 30_000 })
      .toEqual([{ n: 0 }])
  })

  test('takes no run from a worker that is alive, though each lock in the queue ran out meanwhile', async () => {
    await using stack = new AsyncDisposableStack()
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-redis-'))
    stack.defer(() => rmSync(dir, { recursive: true, force: true }))
    const redis = stack.use(await startOwnRedis(dir, await freePort()))
    const server = stack.use(await startCountingServer())
    const act = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  counting: { allow: [act] }
`
    const testApp = stack.use(
      await buildTestApp({
        redisUrl: redis.url,
        routes: [countingRoute(server)],
        jobs: { act },
        scripts: { scripted: 'call counting__act {"n": 1}\nsay $1' },
        config: { worker: { lockTimeout: '9s' } },
      }),
    )
    const { db, worker } = testApp.app
    const answer = Promise.withResolvers<string>()
    server.answer = () => answer.promise
    await worker.start()
    const id = await testApp.queue('act')
    await server.nextCall()

    redis.freeze()
    const lived = "select 1 from runs where heartbeat_at > started_at + interval '12 seconds'"
    await expect.poll(() => query(db, lived), { timeout: 30_000 }).toHaveLength(1)
    redis.thaw()
    // It was handed out again, and is looked at later.
    await expect.poll(() => queueStates(testApp), { timeout: 30_000 }).toEqual(['delayed'])
    // Its worker beats on.
    const beat = async () => (await query<{ at: Date }>(db, 'select heartbeat_at as at from runs'))[0]?.at.getTime() ?? 0
    const before = await beat()
    await expect.poll(beat, { timeout: 30_000 }).toBeGreaterThan(before)
    expect(await loadRun(db, id)).toMatchObject({ status: 'running', attempts: [{ status: 'running' }] })
    answer.resolve('acted')
    expect(await testApp.ended(id)).toMatchObject({ status: 'succeeded', outputText: 'acted', attempts: [{ status: 'succeeded' }] })
    expect(server.effects).toHaveLength(1)
  })

  test('fails with QUEUE_UNAVAILABLE for a caller that waits for it, and does not keep a process from ending', async () => {
    await using at = await openFreezable()
    const { app } = at.api.testApp
    const id = await at.api.testApp.write('work')
    at.redis.freeze()
    await expect(app.producer.wake([{ id, round: 0 }])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await app[Symbol.asyncDispose]()
  })

  test('is found again by a new connection when the path to it was lost', async () => {
    await using stack = new AsyncDisposableStack()
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-redis-'))
    stack.defer(() => rmSync(dir, { recursive: true, force: true }))
    const redis = stack.use(await startOwnRedis(dir, await freePort()))
    const way = stack.use(await startWayTo(redis.url))
    const api = stack.use(await openApi({ redisUrl: way.url, jobs: { work: job() }, scripts: { scripted: 'say done' } }))
    const { app } = api.testApp
    await Promise.all([app.sweeper.start(), app.worker.start()])
    expect(await api.over(await api.create('work'))).toMatchObject({ status: 'succeeded' })
    way.fallSilent()
    const id = await api.create('work')
    // What stood then stays silent for ever, as after a firewall forgot it.
    way.speak()
    await expect.poll(async () => (await loadRun(app.db, id))?.status, { timeout: 55_000 }).toBe('succeeded')
  })
})
