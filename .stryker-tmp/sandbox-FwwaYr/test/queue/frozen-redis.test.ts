// @ts-nocheck
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { query } from '../../src/store/postgres/db.ts'
import { listFires } from '../../src/store/schedules/fires.ts'
import { openApi } from '../support/app/api.ts'
import { hasRedisServer, startOwnRedis } from '../support/app/outage.ts'
import { freePort } from '../support/net/listen.ts'

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
  const jobs = { work: job(), secondly: job('schedule: { cron: "* * * * * *", timezone: UTC, overlap: queue }') }
  const api = building.use(await openApi({ redisUrl: redis.url, jobs, scripts: { scripted: 'say done' } }))
  const stack = building.move()
  return { redis, api, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe.skipIf(!hasRedisServer())('a Redis that takes connections and answers nothing', () => {
  test('stops no schedule and no request, and what came meanwhile is done once it answers', async () => {
    await using at = await openFreezable()
    const { app } = at.api.testApp
    const fires = async () => (await listFires(app.db, 'secondly')).length
    await Promise.all([app.scheduler.start(), app.sweeper.start(), app.worker.start()])
    await expect.poll(fires).toBeGreaterThan(0)

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

  test('is told as QUEUE_UNAVAILABLE to whoever asks for its answer, and keeps no process from its end', async () => {
    await using at = await openFreezable()
    const { app } = at.api.testApp
    const id = await at.api.testApp.write('work')
    at.redis.freeze()
    await expect(app.producer.wake([{ id, round: 0 }])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await app[Symbol.asyncDispose]()
  })
})
