// @ts-nocheck
import { basename } from 'node:path'
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
export async function queueEntries({ app, database, dir }: TestApp): Promise<{ id: string | undefined; data: unknown }[]> {
  const backend = await openQueueBackend({ redisUrl: app.config.redisUrl, databaseUrl: database.url, prefix: basename(dir) })
  const queue = backend.queue()
  const jobs = await queue.getJobs()
  await queue.close()
  await backend.close()
  return jobs.map(({ id, data }) => ({ id, data }))
}
