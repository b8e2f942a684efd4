import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cancelRun } from '../../src/runs/cancel.ts'
import { retryByFilter } from '../../src/runs/retry.ts'
import { createJournalWriter } from '../../src/store/attempts/journal.ts'
import { previousDigest } from '../../src/store/delivery/deliveries.ts'
import { query } from '../../src/store/postgres/db.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { opened, turnRecord, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { someone } from '../support/actor.ts'

const later = { status: 'queued', failure: null, waitMs: 60_000, attemptStatus: 'failed' } as const

test.each([
  ['waits for a person', waitingForShop],
  ['waits for its next try', later],
])('a run that %s says what its attempts spent, also when it is cancelled', async (_, suspension) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const attempt = await opened(db, id)
  const usage = { inputTokens: 1200, cachedTokens: 200, outputTokens: 30, reasoningTokens: 10 }
  await createJournalWriter(db)
    .forAttempt(attempt)
    .turn(turnRecord(1, { usage, costUsd: 0.25 }))
  await suspendRun(db, attempt, suspension)
  expect(await loadRun(db, id)).toMatchObject({ usage, cost: { usd: 0.25 } })
  expect(await cancelRun(db, id, someone())).toBe('cancelled')
  expect(await loadRun(db, id)).toMatchObject({ status: 'cancelled', usage, cost: { usd: 0.25 } })
})

test('a retry under a definition that the kept input does not fit fails with the field, before the model is asked', async () => {
  const job = (required: string) => `
account: reports
model: { provider: openai, name: scripted }
prompt: Delete the rows of {{ input.customer }}.
tools:
  labor: { allow: [query], required: false }
input: { type: object, properties: { customer: { type: string }, region: { type: string } }, required: [${required}] }
retry: { attempts: 1 }
`
  await using testApp = await buildTestApp({ jobs: { act: job('customer') }, scripts: { scripted: 'always fail 400' } })
  const { app, dir, world } = testApp
  const { id, status } = await testApp.run('act', { customer: 'acme' })
  expect(status).toBe('failed')
  await app.worker.stop()
  writeFileSync(join(dir, 'jobs', 'act.yaml'), job('customer, region'))
  app.jobs.reload()
  const asked = world.model.requests.length
  const parts = { db: app.db, producer: app.producer, jobs: app.jobs.jobs() }
  expect(await retryByFilter(parts, { ids: [id] }, 'latest', someone())).toBe(1)
  expect(await app.runner.execute(id, 'again', new AbortController().signal)).toMatchObject({ kind: 'finished', status: 'failed' })
  expect(await loadRun(app.db, id)).toMatchObject({
    status: 'failed',
    failure: { code: 'INPUT_INVALID', message: expect.stringContaining('region') },
  })
  expect(world.model.requests).toHaveLength(asked)
})

test('what a report is compared with is the output that ended last, whichever run began first', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [first, second, third] = [await writeRun(db), await writeRun(db), await writeRun(db)]
  const end = (id: string, digest: string | null, minutes: number) =>
    query(db, "update runs set status = 'succeeded', output_digest = $2, finished_at = now() - make_interval(mins => $3) where id = $1", [
      id,
      digest,
      minutes,
    ])
  await end(second, 'sha256:second', 20)
  await end(first, 'sha256:first', 10)
  expect(await previousDigest(db, 'work', third)).toBe('sha256:first')
  await end(third, null, 5)
  expect(await previousDigest(db, 'work', second)).toBe('sha256:first')
  expect(await previousDigest(db, 'work', first)).toBe('sha256:second')
})
