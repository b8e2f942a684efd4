import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { query } from '../../src/store/postgres/db.ts'
import { startWayTo } from '../support/app/outage.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { createTestDatabase } from '../support/database/database.ts'

test('a Postgres that refuses connections while a worker begins is said once, and not asked again without a pause', async () => {
  await using database = await createTestDatabase()
  await using way = await startWayTo(database.url)
  const backend = await openQueueBackend({ redisUrl: undefined, databaseUrl: way.url })
  await way.close()
  const errors: Error[] = []
  const worker = backend.worker(async () => 'done', { concurrency: 1 })
  worker.on('error', (error) => errors.push(error))
  await expect(worker.waitUntilReady()).rejects.toThrow('ECONNREFUSED')
  // A loop of microtasks would let no timer fire, and tell each try.
  await sleep(300)
  expect(errors.length).toBeLessThan(10)
  await worker.close(true)
  await backend.close()
})

test('a Postgres that has no connection left for a worker that begins is told once, the process lives, and the next start works', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { app, database, log } = testApp
  const name = new URL(database.url).pathname.slice(1)
  const other = await testApp.replica()
  const limit = (most: number) => query(database.db, `alter database ${name} connection limit ${most}`)
  await limit(1)
  await expect(app.worker.start()).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    message: expect.stringContaining('too many connections'),
    cure: expect.stringContaining('max_connections'),
  })
  // BullMQ's worker would ask again in a loop of microtasks, in which no timer fires and no signal is heard.
  await sleep(300)
  expect(log.filter((line) => line.includes('too many connections')).length).toBeLessThan(10)
  await limit(-1)
  await other.worker.start()
  expect(await testApp.ended(await testApp.queue('work'))).toMatchObject({ status: 'succeeded' })
})

test('a queue that cannot be reached at its start is refused: BullMQ would never try again', async () => {
  await using database = await createTestDatabase()
  await using way = await startWayTo(database.url)
  const backend = await openQueueBackend({ redisUrl: undefined, databaseUrl: way.url })
  await way.close()
  await expect(backend.queue()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
  await backend.close()
})
