import { firstWake } from '../../src/core/ports/wake.ts'
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { describeBackends, type Backend } from '../support/app/backends.ts'
import { createTestDatabase } from '../support/database/database.ts'

/** A queue of its own, with nobody at work on it. */
async function openQueue({ redisUrl }: Backend) {
  await using building = new AsyncDisposableStack()
  const database = building.use(await createTestDatabase())
  const backend = await openQueueBackend({ redisUrl, databaseUrl: database.url, prefix: `test-${randomUUID()}` })
  building.defer(() => backend.close())
  const queue = await backend.queue()
  building.defer(() => queue.close())
  const stack = building.move()
  const producer = createProducer(queue, pino({ level: 'silent' }))
  const ids = async () => (await queue.getJobs()).map(({ data }) => data.runId).toSorted()
  return { queue, producer, ids, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `run_${from + i}`)

describeBackends('the producer', (backend) => {
  test('sends together what comes while others are on their way, each run once', async () => {
    await using at = await openQueue(backend)
    const addBulk = vi.spyOn(at.queue, 'addBulk')
    const first = at.producer.wake([firstWake('run_0')])
    await vi.waitUntil(() => addBulk.mock.calls.length === 1)
    const others = names(1, 41).map((id) => at.producer.wake([firstWake(id)]))
    await Promise.all([first, ...others, at.producer.wake([firstWake('run_0')])])
    expect(addBulk.mock.calls.map(([jobs]) => jobs.length)).toEqual([1, 41])
    expect(await at.ids()).toEqual(names(0, 41).toSorted())
  })

  test('adds a run once more that is late, beside an entry that a wrong clock put off', async () => {
    await using at = await openQueue(backend)
    await at.producer.wake([firstWake('run_0', undefined, 3_600_000)])
    await at.producer.wake([firstWake('run_0')])
    expect(await at.queue.getJobCounts('delayed', 'prioritized')).toEqual({ delayed: 1, prioritized: 0 })
    await at.producer.wake([{ ...firstWake('run_0'), late: true }])
    await at.producer.wake([{ ...firstWake('run_0'), late: true }])
    expect(await at.queue.getJobCounts('delayed', 'prioritized')).toEqual({ delayed: 1, prioritized: 1 })
  })

  test('tells each caller of a batch that the queue did not take it, and goes on with the next', async () => {
    await using at = await openQueue(backend)
    vi.spyOn(at.queue, 'addBulk').mockRejectedValueOnce(new Error('no room'))
    const refused = names(0, 2).map((id) =>
      expect(at.producer.wake([firstWake(id)])).rejects.toThrow('The queue did not take 2 runs: no room.'),
    )
    await Promise.all(refused)
    await at.producer.wake([firstWake('run_2')])
    expect(await at.ids()).toEqual(['run_2'])
  })
})
