import { expect, test } from 'vitest'
import { cancelRun } from '../../src/runs/cancel.ts'
import { openDb, query } from '../../src/store/postgres/db.ts'
import { countingJob } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { someone } from '../support/actor.ts'

/** Two runs in the middle of a call that does not end. */
async function atWork() {
  await using building = new AsyncDisposableStack()
  const server = building.use(await startCountingServer())
  const held = Promise.withResolvers<string>()
  let givenUp = 0
  server.answer = (_call, _req, res) => {
    res.on('close', () => void givenUp++)
    return held.promise
  }
  const testApp = building.use(
    await buildTestApp({
      routes: [countingRoute(server)],
      jobs: { act: countingJob() },
      scripts: { scripted: 'call counting__act {}\nsay done' },
      config: { worker: { lockTimeout: '6s' } },
    }),
  )
  building.defer(() => held.resolve('done'))
  const { app, database } = testApp
  await app.worker.start()
  const called = async () => {
    const call = server.nextCall()
    const id = await testApp.queue('act')
    await call
    return id
  }
  const ids = [await called(), await called()] as const
  const beat = async (id: string) => {
    const [row] = await query<{ at: Date }>(database.db, 'select heartbeat_at as at from runs where id = $1', [id])
    return row?.at.getTime() ?? 0
  }
  /** Resolves when the run's lease was renewed from now on. */
  const renewed = async (id: string) => {
    const before = await beat(id)
    await expect.poll(() => beat(id), { timeout: 15_000 }).toBeGreaterThan(before)
  }
  const stack = building.move()
  return { testApp, ids, renewed, givenUp: () => givenUp, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('leases are renewed and a cancel is seen while everything else of the process has all of its connections to the store', async () => {
  await using at = await atWork()
  const { app, database } = at.testApp
  const taken = await Promise.all(Array.from({ length: app.db.options.max }, () => app.db.connect()))
  try {
    await at.renewed(at.ids[0])
    await cancelRun(database.db, at.ids[0], someone())
    // The call under way is given up. That it ended is written once there is a connection for it.
    await expect.poll(at.givenUp, { timeout: 15_000 }).toBe(1)
  } finally {
    for (const one of taken) one.release()
  }
  expect(await at.testApp.ended(at.ids[0])).toMatchObject({ failure: { code: 'CANCELLED' } })
})

test('a session that is frozen with the row of one run keeps no other run from having its lease renewed', async () => {
  await using at = await atWork()
  const frozen = openDb({ url: at.testApp.database.url, max: 1 })
  const holding = await frozen.connect()
  holding.on('error', () => {}) // the store ends a session that is idle for too long
  try {
    await holding.query('begin')
    await holding.query('select 1 from runs where id = $1 for update', [at.ids[0]])
    await at.renewed(at.ids[1])
    expect(at.testApp.app.worker.state().failures).toBe(0)
  } finally {
    await holding.query('rollback')
    holding.release()
    await frozen.end()
  }
  await at.renewed(at.ids[0])
})
