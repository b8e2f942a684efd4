import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { startWayTo } from '../support/app/outage.ts'
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
