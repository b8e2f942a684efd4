import { firstWake } from '../../../src/core/ports/wake.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../../src/store/postgres/db.ts'
import { hasRedisServer, startWorkerProcess } from '../../support/app/outage.ts'
import type { FaultBench } from '../../support/app/fault-bench.ts'
import { onLook } from '../moments.ts'
import { ACT, MIDDLE, rowsOf, type FaultRow, type QueueKind, type RowOptions } from '../row.ts'
import { until } from '../../support/until.ts'

const row = rowsOf('process')
const nothing = () => {}
/** How long a server is away. */
const AWAY_MS = 10_000

/** Another worker process holds the run when it is killed, or its event loop is blocked; this one goes on. */
const killedAt =
  (tool: string, { background = false, how = 'kill' }: { background?: boolean; how?: 'kill' | 'block' } = {}) =>
  async (bench: FaultBench): Promise<string> => {
    const { server, app, world } = bench
    const held = Promise.withResolvers<string>()
    server.answer = (call) => (call.name === tool ? held.promise : 'done')
    await using other = await startWorkerProcess(world.configFile)
    const runId = await bench.queue()
    while ((await server.nextCall()).name !== tool);
    if (background) await idIsKept(bench, runId)
    await other[how]()
    server.answer = () => 'done'
    held.resolve('done')
    await app.worker.start()
    await bench.ended(runId)
    return runId
  }

/** A background answer can be found again once its id is kept, which its tools may be ahead of. */
async function idIsKept({ app }: FaultBench, runId: string): Promise<void> {
  await until(async () => {
    const [response] = await query<{ kept: boolean }>(app.db, 'select response_id is not null as kept from responses where run_id = $1', [
      runId,
    ])
    return response?.kept
  })
}

/** The worker is told to stop, and may not wait for the run. */
async function stopped(bench: FaultBench): Promise<string> {
  const { server, app, world } = bench
  server.answer = (call) => (call.name === 'look' ? new Promise(nothing) : 'done')
  await app.worker.start()
  const runId = await bench.queue()
  while ((await server.nextCall()).name !== 'look');
  await app.worker.stop()
  server.answer = () => 'done'
  await using next = await startWorkerProcess(world.configFile)
  await runIsOver(bench, runId)
  await next.kill()
  return runId
}

async function runIsOver({ app }: FaultBench, runId: string): Promise<void> {
  await until(async () => {
    const [run] = await query<{ over: boolean }>(app.db, 'select finished_at is not null as over from runs where id = $1', [runId])
    return run?.over
  })
}

/** One more run, which the queue takes once its connections stand again. */
async function oneMore(bench: FaultBench): Promise<void> {
  await bench.ended(await until(() => bench.queue().catch(() => undefined)))
}

/** Shuts a server at the first call of `look`, and opens it again. The call goes on meanwhile. Looks at the run when both are over. */
const awayAtLook =
  (which: 'toDatabase' | 'redis') =>
  async (bench: FaultBench): Promise<string> => {
    const outage = bench[which]
    if (!outage) throw new Error(`the bench has no ${which} that can be shut`)
    const back = Promise.withResolvers<void>()
    let shut = false
    const away = async () => {
      await outage.close()
      sleep(AWAY_MS)
        .then(() => outage.open())
        .then(back.resolve, back.reject)
    }
    onLook(bench.toServer, () => {
      if (shut) return undefined
      shut = true
      return { kind: 'hold', until: away() }
    })
    await bench.app.worker.start()
    const runId = await bench.queue()
    await Promise.all([back.promise, bench.ended(runId)])
    if (which === 'redis') await oneMore(bench)
    return runId
  }

/** A run is asked for while the queue is away. */
async function queuedWhileAway(bench: FaultBench): Promise<string> {
  const { app, redis } = bench
  await app.worker.start()
  await redis?.close()
  const runId = await bench.write()
  app.producer.wakeSoon([firstWake(runId)])
  await sleep(AWAY_MS)
  await redis?.open()
  // The sweep looks for runs that are due for a while.
  await query(app.db, "update runs set created_at = created_at - interval '1 minute'")
  await until(async () => {
    await app.sweeper.round()
    const [run] = await query<{ status: string }>(app.db, 'select status from runs where id = $1', [runId])
    return run?.status !== 'queued'
  })
  await bench.ended(runId)
  return runId
}

const REDIS: readonly QueueKind[] = hasRedisServer() ? ['redis'] : []
const BOTH: readonly QueueKind[] = ['postgres', ...REDIS]
/** Other processes find the queue by its usual name, so it needs a Redis of its own. */
const twoProcesses = (options: RowOptions = {}): RowOptions => ({
  backends: BOTH,
  ...options,
  bench: { ownRedis: true, config: { worker: { lockTimeout: '5s', drainTimeout: '10ms' } }, ...options.bench },
})

export const processRows: FaultRow[] = [
  row(
    'worker killed in a repeatable call',
    ['succeeded', 'WORKER_LOST', 2, 1],
    nothing,
    twoProcesses({ heals: true, play: killedAt('look') }),
  ),
  row(
    'worker killed in a call that must not be repeated',
    ['failed', 'OUTCOME_UNKNOWN', 2, 1],
    nothing,
    twoProcesses({ play: killedAt('act') }),
  ),
  row(
    'worker killed in a call that must not be repeated, told to the model',
    ['incomplete', 'OUTCOME_UNKNOWN', 2, 1],
    nothing,
    twoProcesses({ play: killedAt('act'), more: 'onUnknown: tell-model' }),
  ),
  row(
    'worker whose event loop is blocked in a repeatable call',
    ['succeeded', 'WORKER_STALLED', 2, 1],
    nothing,
    twoProcesses({ heals: true, play: killedAt('look', { how: 'block' }) }),
  ),
  row(
    'worker whose event loop is blocked in a call that must not be repeated',
    ['failed', 'OUTCOME_UNKNOWN', 2, 1],
    nothing,
    twoProcesses({ play: killedAt('act', { how: 'block' }) }),
  ),
  row('worker stopped in mid-run', ['succeeded', 'WORKER_LOST', 2, 1], nothing, twoProcesses({ heals: true, play: stopped })),
  row(
    'worker killed in mid-answer',
    ['failed', 'OUTCOME_UNKNOWN', 2, 1],
    nothing,
    twoProcesses({ delegate: 'hosted', play: killedAt('look') }),
  ),
  row(
    'worker killed in mid-answer, all tools repeatable',
    ['succeeded', 'WORKER_LOST', 2, 1],
    nothing,
    twoProcesses({
      heals: true,
      delegate: 'hosted',
      play: killedAt('look'),
      tools: 'counting: { allow: [act, look], repeatable: [act, look] }',
      script: `call counting__look {}\n${ACT}\nsay $2`,
    }),
  ),
  row(
    'worker killed in mid-answer, in the background',
    ['succeeded', 'WORKER_LOST', 2, 1],
    nothing,
    twoProcesses({ heals: true, delegate: 'hosted', play: killedAt('look', { background: true }), bench: { background: true } }),
  ),
  row('database gone for 10 s', ['succeeded', null, 1, 1], nothing, {
    play: awayAtLook('toDatabase'),
    bench: { shutsDatabase: true },
  }),
  row('database gone for 10 s', ['succeeded', null, 1, 1], nothing, {
    delegate: 'hosted',
    script: MIDDLE,
    play: awayAtLook('toDatabase'),
    bench: { shutsDatabase: true },
  }),
  row('Redis gone for 10 s, and one more run afterwards', ['succeeded', null, 1, 2], nothing, {
    backends: REDIS,
    play: awayAtLook('redis'),
    bench: { ownRedis: true },
  }),
  row('Redis gone for 10 s while a run is asked for', ['succeeded', null, 1, 1], nothing, {
    backends: REDIS,
    play: queuedWhileAway,
    bench: { ownRedis: true },
  }),
]
