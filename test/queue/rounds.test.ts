import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createProducer } from '../../src/queue/producer.ts'
import { sweep } from '../../src/queue/sweep.ts'
import { pauseJob, resumeJob } from '../../src/schedules/pause.ts'
import { query } from '../../src/store/postgres/db.ts'
import { finishRun } from '../../src/store/runs/finish.ts'
import { retryRuns } from '../../src/store/runs/retry.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { resumeWaiting } from '../../src/store/waiting/waiting.ts'
import { noUsage } from '../../src/core/run.ts'
import { claim, fallSilent, opened, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'

/** A queue that keeps the id of each job that it is given. */
function recordingQueue() {
  const jobIds: (string | undefined)[] = []
  const queue = {
    on: () => {},
    addBulk: async (jobs: { opts?: { jobId?: string } }[]) => {
      jobIds.push(...jobs.map(({ opts }) => opts?.jobId))
      return []
    },
    getJobs: async () => [],
    obliterate: async () => {},
    close: async () => {},
    count: async () => 0,
    closing: undefined,
  }
  return { jobIds, producer: createProducer(queue, pino({ level: 'silent' })) }
}

test('each time that a run comes to be runnable it gets a job of its own in the queue, which no earlier one had', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const { jobIds, producer } = recordingQueue()
  const sweepNow = () => sweep({ db, producer, leaseMs: 60_000, concurrencyOf: undefined })
  const id = await writeRun(db)
  await producer.wake([{ id, round: 0 }])

  // Its worker falls silent, and lives: the run waits for a person, and goes on.
  const first = await opened(db, id)
  await fallSilent(db, id)
  await sweepNow()
  await suspendRun(db, first, waitingForShop)
  await producer.wake(await resumeWaiting(db, 'reports', ['shop']))

  // The same, and then it is tried again.
  const second = await opened(db, id)
  await fallSilent(db, id)
  await sweepNow()
  const suspended = await suspendRun(db, second, { status: 'queued', failure: null, attemptStatus: 'failed', nextAttemptAt: null })
  await producer.wake(suspended ? [suspended] : [])

  // It is held by a pause that ends, is done, and is retried.
  await pauseJob(db, { job: 'work', reason: 'later', pausedBy: 'ann' })
  expect(await claim(db, id)).toMatchObject({ kind: 'held' })
  await resumeJob({ db, producer }, 'work')
  await finishRun(db, await opened(db, id), { status: 'failed', reasons: [], failure: null, usage: noUsage, costUsd: null })
  await producer.wake(await retryRuns(db, { ids: [id] }, []))
  await producer.flush()

  expect(jobIds).toHaveLength(7)
  expect(new Set(jobIds).size).toBe(7)
  expect(await query(db, 'select status from runs')).toEqual([{ status: 'queued' }])
})
