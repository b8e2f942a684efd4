import { expect, test } from 'vitest'
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
import { producerTo } from '../support/recorded-queue.ts'
import { someone } from '../support/actor.ts'

/** A queue that keeps the id of each job that it is given. */
function recordingQueue() {
  const jobIds: (string | undefined)[] = []
  const producer = producerTo((jobs) => void jobIds.push(...jobs.map(({ opts }) => opts?.jobId)))
  return { jobIds, producer }
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
  await producer.wake(await resumeWaiting(db, 'reports', ['shop'], someone()))

  // The same, and then it is tried again.
  const second = await opened(db, id)
  await fallSilent(db, id)
  await sweepNow()
  const suspended = await suspendRun(db, second, { status: 'queued', failure: null, attemptStatus: 'failed', waitMs: 0 })
  await producer.wake(suspended ? [suspended] : [])

  // It is held by a pause that ends, is done, and is retried.
  await pauseJob(db, 'work', someone({ reason: 'later', name: 'ann' }))
  expect(await claim(db, id)).toMatchObject({ kind: 'held' })
  await resumeJob({ db, producer }, 'work', someone())
  await finishRun(db, await opened(db, id), { status: 'failed', reasons: [], failure: null, usage: noUsage, costUsd: null })
  await producer.wake(await retryRuns(db, { ids: [id] }, [], someone()))
  await producer.flush()

  expect(jobIds).toHaveLength(7)
  expect(new Set(jobIds).size).toBe(7)
  expect(await query(db, 'select status from runs')).toEqual([{ status: 'queued' }])
})
