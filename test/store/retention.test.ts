import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { noUsage, type FinalStatus } from '../../src/core/run.ts'
import { endDeliveryTry, takeDueDeliveries } from '../../src/store/delivery/deliveries.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { countPrunable, prune } from '../../src/store/retention.ts'
import type { NewDelivery } from '../../src/store/delivery/post.ts'
import { finishRun } from '../../src/store/runs/finish.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { opened, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'

const DAY_MS = 86_400_000
const end = { output: { total: 42 }, reasons: [], failure: null, usage: noUsage, costUsd: null }

/** A run that ended so many days ago. */
async function over(db: Db, status: FinalStatus, daysAgo: number, deliveries: NewDelivery[] = []) {
  const id = await writeRun(db)
  await finishRun(db, await opened(db, id), { ...end, status, deliveries })
  await query(db, 'update runs set finished_at = now() - make_interval(days => $2) where id = $1', [id, daysAgo])
  return id
}

const ids = async (db: Db) => (await query<{ id: string }>(db, 'select id from runs order by id')).map(({ id }) => id)

test('of each status, runs that are older than it is kept for lose their content, then go; others stay as they are', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const kept = [await over(db, 'failed', 20), await over(db, 'succeeded', 1), await over(db, 'cancelled', 400), await writeRun(db)]
  const emptied = await over(db, 'succeeded', 3)
  const removed = [await over(db, 'succeeded', 30), await over(db, 'failed', 100)]
  const keep = {
    content: { succeeded: 2 * DAY_MS, failed: 50 * DAY_MS },
    metadata: { succeeded: 10 * DAY_MS, failed: 90 * DAY_MS },
    log: undefined,
  }
  expect(await countPrunable(db, keep)).toEqual({ content: 3, metadata: 2, log: 0 })
  expect(await prune(db, keep)).toEqual({ content: 3, metadata: 2, log: 0 })
  expect(await ids(db)).toEqual([...kept, emptied].toSorted())
  expect(await loadRun(db, emptied)).toMatchObject({ status: 'succeeded', output: null })
  for (const id of kept.slice(0, 3)) expect(await loadRun(db, id)).toMatchObject({ output: { total: 42 } })
  expect(await query(db, 'select run_id from pruned_runs order by 1')).toEqual(removed.toSorted().map((run_id) => ({ run_id })))
  expect(await prune(db, keep)).toEqual({ content: 0, metadata: 0, log: 0 })
})

test('a run whose report is still to be sent keeps its content, until it was sent or given up', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await over(db, 'succeeded', 30, [{ id: randomUUID(), target: { webhook: 'ops' }, status: 'pending' }])
  const keep = { content: { succeeded: DAY_MS }, metadata: { succeeded: 2 * DAY_MS }, log: undefined }
  expect(await countPrunable(db, keep)).toEqual({ content: 0, metadata: 0, log: 0 })
  expect(await prune(db, keep)).toEqual({ content: 0, metadata: 0, log: 0 })
  const [due] = await takeDueDeliveries(db, { limit: 1, perPlace: 1, busy: new Map(), leaseMs: 60_000 })
  expect(due).toMatchObject({ runId: id })
  expect(await loadRun(db, id)).toMatchObject({ output: { total: 42 } })
  await endDeliveryTry(db, due?.id ?? '', { status: 'delivered' })
  expect(await prune(db, keep)).toEqual({ content: 1, metadata: 1, log: 0 })
})
