import { expect, test } from 'vitest'
import { noUsage } from '../../../src/core/run.ts'
import { openAttempt } from '../../../src/store/runs/claim.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { finishRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { cancelRequested, heartbeat, requestCancel } from '../../../src/store/runs/heartbeat.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { listWakeable } from '../../../src/store/runs/wakeable.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { claim, endCancelled, fallSilent, opened, takenOver, waitingForShop, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { someone } from '../../support/actor.ts'

const LEASE_MS = 60_000
const end = (status: RunEnd['status'] = 'succeeded'): RunEnd => ({
  status, outputText: 'done', reasons: [], failure: null, usage: noUsage, costUsd: null,
}) // prettier-ignore

const again = { status: 'queued', failure: null, attemptStatus: 'failed' } as const

test('a queued run is opened once, by one of twenty workers that try at the same time', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(db, id, { worker: `worker ${i}` })))
  expect(claims.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
  expect(claims.filter(({ kind }) => kind === 'busy')).toHaveLength(19)
  expect((await loadRun(db, id))?.attempts).toMatchObject([{ number: 1, status: 'running' }])
})

test('a queued run that is not due says when it is', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await suspendRun(db, await opened(db, id), { ...again, waitMs: 3_600_000 })
  const early = await claim(db, id)
  expect(early).toEqual({ kind: 'not-yet', inMs: expect.any(Number) })
  if (early.kind === 'not-yet') expect(early.inMs).toBeGreaterThan(3_000_000)
  await query(db, 'update runs set next_attempt_at = now()')
  expect(await claim(db, id)).toMatchObject({
    kind: 'opened',
    opened: { attempt: { number: 2 }, resumed: true, failed: 1, tookOver: false },
  })
})

test.each([{ ...again, waitMs: 3_600_000 }, waitingForShop])(
  'a run whose cancel was asked for while its attempt was under way is not left $status: it is due at once, and whoever takes it ends it',
  async (suspension) => {
    await using database = await createTestDatabase()
    const { db } = database
    const id = await writeRun(db)
    const attempt = await opened(db, id)
    await requestCancel(db, id, someone())
    expect(await suspendRun(db, attempt, suspension)).toMatchObject({ id, status: 'queued', at: null })
    expect(await claim(db, id)).toMatchObject({ kind: 'cancel-requested' })
  },
)

test.each([
  {
    title: 'the same queue job comes again and its worker has missed two beats',
    queueJobId: 'first',
    silentMs: LEASE_MS / 3 + 1000,
    kind: 'opened',
  },
  { title: 'the same queue job comes again and its worker beats', queueJobId: 'first', silentMs: LEASE_MS / 6, kind: 'busy' },
  { title: 'its worker has fallen silent', queueJobId: 'second', silentMs: LEASE_MS + 1000, kind: 'opened' },
  { title: 'another queue job comes and its worker was just heard of', queueJobId: 'second', silentMs: LEASE_MS - 10_000, kind: 'busy' },
])('a running run when $title: $kind', async ({ queueJobId, silentMs, kind }) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await opened(db, id, { queueJobId: 'first' })
  await fallSilent(db, id, silentMs)
  const result = await claim(db, id, { queueJobId, leaseMs: LEASE_MS })
  expect(result.kind).toBe(kind)
  if (result.kind === 'opened') expect(result.opened).toMatchObject({ tookOver: true, attempt: { number: 2 } })
  const { attempts } = (await loadRun(db, id)) ?? { attempts: [] }
  const statuses = attempts.map((attempt) => `${attempt.status} ${attempt.failure?.code ?? ''}`)
  expect(statuses).toEqual(kind === 'opened' ? ['lost WORKER_LOST', 'running '] : ['running '])
})

test.each(['succeeded', 'incomplete', 'failed', 'cancelled'] as const)('a run that %s is not opened again', async (status) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await finishRun(db, await opened(db, id), end(status))
  expect(await claim(db, id)).toEqual({ kind: 'not-runnable', status })
})

test('a waiting run and an unknown run are not opened', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await suspendRun(db, await opened(db, id), waitingForShop)
  expect(await claim(db, id)).toEqual({ kind: 'not-runnable', status: 'waiting' })
  expect(await claim(db, 'run_nobody_knows')).toEqual({ kind: 'unknown' })
})

test('a run that waits for an earlier one is opened when that one is over, and its id is told then', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const earlier = await writeRun(db)
  const later = await writeRun(db, { afterRun: earlier })
  const attempt = await opened(db, earlier)
  const early = await claim(db, later)
  expect(early).toMatchObject({ kind: 'not-yet' })
  if (early.kind === 'not-yet') expect(early.inMs).toBeLessThan(LEASE_MS)
  expect(await finishRun(db, attempt, end('failed'))).toEqual({ stillOwned: true, next: [{ id: later, round: 0, priority: 10 }] })
  expect(await claim(db, later)).toMatchObject({ kind: 'opened' })
})

test('a run whose cancel was asked for between two attempts is not opened again', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const attempt = await opened(db, id)
  expect(await requestCancel(db, id, someone())).toBe('running')
  expect(await cancelRequested(db, [id, 'run_nobody_knows'])).toEqual([id])
  await suspendRun(db, attempt, { ...again, waitMs: 0 })
  expect(await claim(db, id)).toEqual({ kind: 'cancel-requested' })
  expect(await endCancelled(db, id)).toBe(true)
  expect(await claim(db, id)).toEqual({ kind: 'not-runnable', status: 'cancelled' })
})

test('a running run whose cancel was asked for stays with a worker that is heard of', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  await opened(db, id)
  await requestCancel(db, id, someone())
  expect(await claim(db, id)).toEqual({ kind: 'busy' })
  expect(await loadRun(db, id)).toMatchObject({ status: 'running', attempts: [{ status: 'running' }] })
})

test.each([
  { title: 'fell silent', queueJobId: 'second', silentMs: LEASE_MS + 1000 },
  { title: 'lost its queue job', queueJobId: 'first', silentMs: LEASE_MS / 3 + 1000 },
])('a run whose cancel was asked for and whose worker $title can be ended, with no attempt left open', async ({ queueJobId, silentMs }) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const later = await writeRun(db, { afterRun: id })
  const attempt = await opened(db, id, { queueJobId: 'first' })
  await requestCancel(db, id, someone())
  await fallSilent(db, id, silentMs)
  expect(await openAttempt(db, id, { worker: 'two', queueJobId, leaseMs: LEASE_MS })).toEqual({ kind: 'cancel-requested' })
  expect(await endCancelled(db, id)).toBe(true)
  expect(await loadRun(db, id)).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' }, attempts: [{ status: 'lost' }] })
  expect(await finishRun(db, attempt, end())).toEqual({ stillOwned: false, next: [] })
  expect(await claim(db, later)).toMatchObject({ kind: 'opened' })
})

test('a heartbeat keeps a run fresh and says which runs went to another worker', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [kept, taken] = [await writeRun(db), await writeRun(db)]
  for (const id of [kept, taken]) {
    await opened(db, id, { queueJobId: `${id} first` })
    await fallSilent(db, id, LEASE_MS + 1000)
  }
  await opened(db, taken, { queueJobId: `${taken} second`, leaseMs: LEASE_MS })
  const mine = [kept, taken, 'run_nobody_knows'].map((runId) => ({ runId, queueJobId: `${runId} first` }))
  expect((await heartbeat(db, 'one', mine)).toSorted()).toEqual(['run_nobody_knows', taken].toSorted())
  expect(await claim(db, kept, { queueJobId: 'other', leaseMs: LEASE_MS })).toEqual({ kind: 'busy' })
  expect(await heartbeat(db, 'another worker', mine.slice(0, 1))).toEqual([kept])
  expect(await heartbeat(db, 'one', [])).toEqual([])
})

test('a superseded attempt changes nothing when it ends or pauses', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const old = await opened(db, id)
  const current = await takenOver(db, id)
  const before = await loadRun(db, id)
  expect(await finishRun(db, old, end())).toEqual({ stillOwned: false, next: [] })
  for (const attemptStatus of ['failed', 'lost'] as const)
    expect(await suspendRun(db, old, { ...again, waitMs: 0, attemptStatus })).toBeUndefined()
  expect(await finishRun(db, { ...current, token: old.token }, end())).toEqual({ stillOwned: false, next: [] })
  expect(await loadRun(db, id)).toEqual(before)
  expect(await finishRun(db, current, end())).toEqual({ stillOwned: true, next: [] })
  expect(await loadRun(db, id)).toMatchObject({ status: 'succeeded', outputText: 'done' })
})

test('an end or a pause that is sent twice, because its answer was lost, holds both times', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  const first = await opened(db, id)
  const pause = { ...again, waitMs: 0 }
  const wakeable = { id, round: 1, priority: 10, status: 'queued', at: expect.any(Date), inMs: 0 }
  expect([await suspendRun(db, first, pause), await suspendRun(db, first, pause)]).toEqual([wakeable, wakeable])
  const second = await opened(db, id)
  expect([await finishRun(db, second, end()), await finishRun(db, second, end())]).toMatchObject([
    { stillOwned: true },
    { stillOwned: true },
  ])
})

test('what ought to be in the queue: due runs and runs of silent workers, no others', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const ids = new Map<string, string>()
  const add = async (name: string, afterRun?: string) => {
    const id = await writeRun(db, { afterRun })
    ids.set(id, name)
    return id
  }
  const due = await add('due')
  await add('held back', due)
  const retried = await add('due for its second attempt')
  await suspendRun(db, await opened(db, retried), { ...again, waitMs: -60_000 })
  const notDue = await add('not due')
  await suspendRun(db, await opened(db, notDue), { ...again, waitMs: 60_000 })
  const silent = await add('of a silent worker')
  await opened(db, silent)
  await opened(db, await add('of a worker at work'))
  const waiting = await add('waiting for a person')
  await suspendRun(db, await opened(db, waiting), waitingForShop)
  const over = await add('over')
  await finishRun(db, await opened(db, over), end())
  await add('freed', over)
  await query(db, "update runs set created_at = created_at - interval '1 minute'")
  await fallSilent(db, silent)
  await add('just created')

  const listed = await listWakeable(db, { olderThanMs: 10_000, lateMs: 40_000, leaseMs: LEASE_MS })
  expect(new Map(listed.map(({ id, round, takeover }) => [ids.get(id), [round, takeover]]))).toEqual(
    new Map([['due', [0, false]], ['due for its second attempt', [1, false]], ['of a silent worker', [1, true]], ['freed', [0, false]]]), // prettier-ignore
  )
  expect(new Set(listed.flatMap(({ id, late }) => (late ? [ids.get(id)] : [])))).toEqual(
    new Set(['due', 'due for its second attempt', 'freed']),
  )
  // A backlog does not keep a silent worker's run from being found.
  const first = await listWakeable(db, { olderThanMs: 10_000, lateMs: 40_000, leaseMs: LEASE_MS, limit: 1 })
  expect(first.map(({ takeover }) => takeover)).toEqual([true, false])
})
