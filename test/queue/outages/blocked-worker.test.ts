import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { BLOCKABLE } from '../../support/app/outage.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { program, type Program } from '../../support/cli/command.ts'
import { countingRoute, startCountingServer, type ToolCall } from '../../support/mcp/counting-server.ts'
import { until } from '../../support/until.ts'

const LEASE_MS = 3000
test('a worker whose event loop is blocked ends itself, naming its runs, and what blocked two is ended, not those beside it', async () => {
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { heavy: countingJob({ model: 'heavy' }), light: countingJob({ model: 'light' }) },
    scripts: { heavy: 'call counting__look {"n": 1}\nsay done', light: 'call counting__look {"n": 2}\nsay done' },
    config: { worker: { lockTimeout: `${LEASE_MS}ms` }, log: { level: 'info' } },
  })
  const { app, world } = testApp
  await using stack = new AsyncDisposableStack()
  const start = async () => {
    const worker = program(['-c', world.configFile, 'start'], { env: BLOCKABLE })
    stack.defer(() => void worker.child.kill('SIGKILL'))
    await worker.says('Nightshift is at work.')
    return worker
  }
  const never = new Promise<string>(() => {})
  const isHeavy = (call: ToolCall) => call.arguments['n'] === 1
  const heavyCall = async () => {
    while (!isHeavy(await server.nextCall()));
  }
  /** Blocks the worker and returns the last that it said. */
  const block = async ({ child, ended }: Program) => {
    child.kill('SIGUSR2')
    const { err } = await ended
    expect(child.signalCode).toBe('SIGKILL')
    const said: unknown = JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')
    return said
  }

  // Two runs are under way. A stop of the whole process for longer than the lease is none of the loop.
  const light = Promise.withResolvers<void>()
  server.answer = (call) => {
    if (!isHeavy(call)) light.resolve()
    return never
  }
  const first = await start()
  const reached = heavyCall()
  const ids = { heavy: await testApp.queue('heavy'), light: await testApp.queue('light') }
  await Promise.all([reached, light.promise])
  first.child.kill('SIGSTOP')
  await sleep(1.5 * LEASE_MS)
  first.child.kill('SIGCONT')
  const beat = async () => (await query(app.db, 'select max(heartbeat_at) as at from runs'))[0]
  const before = await beat()
  await until(async () => (await beat())?.['at'] !== before?.['at'])
  expect(first.child.exitCode ?? first.child.signalCode).toBeNull()

  expect(await block(first)).toMatchObject({
    level: 60,
    code: 'WORKER_STALLED',
    runs: expect.arrayContaining([ids.heavy, ids.light]),
    msg: expect.stringContaining('worker.lockTimeout'),
  })

  server.answer = (call) => (isHeavy(call) ? never : 'done')
  const again = heavyCall()
  const second = await start()
  await again
  expect(await block(second)).toMatchObject({ code: 'WORKER_STALLED', runs: [ids.heavy] })

  const third = await start()
  const ended = (id: string) =>
    until(async () => {
      const run = await loadRun(app.db, id)
      return run?.finishedAt ? run : undefined
    })
  expect(await ended(ids.heavy)).toMatchObject({
    status: 'failed',
    failure: { code: 'WORKER_STALLED', retry: 'never', message: expect.stringContaining('2 workers') },
    attempts: [
      { status: 'lost', failure: { code: 'WORKER_STALLED' } },
      { status: 'lost', failure: { code: 'WORKER_STALLED' } },
      { status: 'failed' },
    ],
  })
  expect(await ended(ids.light)).toMatchObject({ status: 'succeeded' })
  third.child.kill('SIGTERM')
  expect((await third.ended).code).toBe(0)
})
