import { basename } from 'node:path'
import type { Job } from 'bullmq'
import { describe, inject } from 'vitest'
import { openQueueBackend } from '../../../src/queue/backend.ts'
import type { TestApp } from './test-app.ts'

export interface Backend {
  redisUrl: string | undefined
}

/** The same suite on both queues. Without a Redis, its half is skipped, and the run of the tests says so in the end. */
export function describeBackends(title: string, suite: (backend: Backend) => void): void {
  const redisUrl = inject('redisUrl')
  describe(`${title}, queue in Postgres`, () => suite({ redisUrl: undefined }))
  describe.skipIf(redisUrl === null)(`${title}, queue in Redis`, () => suite({ redisUrl: redisUrl ?? undefined }))
}

/** All entries of a testApp's queue, as they are stored. */
export const queueEntries = (testApp: TestApp): Promise<{ id: string | undefined; data: unknown }[]> =>
  mapQueue(testApp, async ({ id, data }) => ({ id, data }))

/** The state of each entry, as BullMQ names it. */
export const queueStates = (testApp: TestApp): Promise<string[]> => mapQueue(testApp, (job) => job.getState())

async function mapQueue<T>({ app, database, dir }: TestApp, map: (job: Job) => Promise<T>): Promise<T[]> {
  const backend = await openQueueBackend({ redisUrl: app.config.redisUrl, databaseUrl: database.url, prefix: basename(dir) })
  const queue = await backend.queue()
  const mapped = await Promise.all((await queue.getJobs()).map(map))
  await queue.close()
  await backend.close()
  return mapped
}
