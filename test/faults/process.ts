import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../src/store/db.ts'
import { hasRedisServer, startWorkerProcess } from '../support/outage.ts'
import type { Scene } from '../support/scene.ts'
import { onLook } from './moments.ts'
import { ACT, MIDDLE, rowsOf, type FaultRow, type QueueKind, type RowOptions } from './row.ts'

const row = rowsOf('process')
const nothing = () => {}
/** How long a server is away. */
const AWAY_MS = 10_000

/** Another worker process holds the run when it is killed; this one goes on. */
const killedAt =
  (tool: string, { background = false } = {}) =>
  async (scene: Scene): Promise<string> => {
    const { server, app, world } = scene
    const held = Promise.withResolvers<string>()
    server.answer = (call) => (call.name === tool ? held.promise : 'done')
    await using other = await startWorkerProcess(world.configFile)
    const runId = await scene.queue()
    while ((await server.nextCall()).name !== tool);
    if (background) await idIsKept(scene, runId)
    await other.kill()
    server.answer = () => 'done'
    held.resolve('done')
    await app.worker.start()
    await scene.ended(runId)
    return runId
  }

/** A background answer can be found again once its id is kept, which its tools may be ahead of. */
async function idIsKept({ app }: Scene, runId: string): Promise<void> {
  for (;;) {
    const [response] = await query<{ kept: boolean }>(app.db, 'select response_id is not null as kept from responses where run_id = $1', [
      runId,
    ])
    if (response?.kept) return
  }
}

/** The worker is told to stop, and may not wait for the run. */
async function stopped(scene: Scene): Promise<string> {
  const { server, app, world } = scene
  server.answer = (call) => (call.name === 'look' ? new Promise(nothing) : 'done')
  await app.worker.start()
  const runId = await scene.queue()
  while ((await server.nextCall()).name !== 'look');
  await app.worker.stop()
  server.answer = () => 'done'
  await using next = await startWorkerProcess(world.configFile)
  await runIsOver(scene, runId)
  await next.kill()
  return runId
}

async function runIsOver({ app }: Scene, runId: string): Promise<void> {
  for (;;) {
    const [run] = await query<{ over: boolean }>(app.db, 'select finished_at is not null as over from runs where id = $1', [runId])
    if (run?.over) return
  }
}

/** One more run, which the queue takes once its connections stand again. */
async function oneMore(scene: Scene): Promise<void> {
  for (;;) {
    const runId = await scene.queue().catch(() => undefined)
    if (runId !== undefined) return void (await scene.ended(runId))
    await sleep(50)
  }
}

/** Shuts a server at the first call of `look`, and opens it again. The call goes on meanwhile. Looks at the run when both are over. */
const awayAtLook =
  (which: 'toDatabase' | 'redis') =>
  async (scene: Scene): Promise<string> => {
    const outage = scene[which]
    if (!outage) throw new Error(`the scene has no ${which} that can be shut`)
    const back = Promise.withResolvers<void>()
    let shut = false
    const away = async () => {
      await outage.close()
      sleep(AWAY_MS)
        .then(() => outage.open())
        .then(back.resolve, back.reject)
    }
    onLook(scene.toServer, () => {
      if (shut) return undefined
      shut = true
      return { kind: 'hold', until: away() }
    })
    await scene.app.worker.start()
    const runId = await scene.queue()
    await Promise.all([back.promise, scene.ended(runId)])
    if (which === 'redis') await oneMore(scene)
    return runId
  }

/** A run is asked for while the queue is away. */
async function queuedWhileAway(scene: Scene): Promise<string> {
  const { app, redis } = scene
  await app.worker.start()
  await redis?.close()
  const runId = await scene.write()
  await app.producer.wakeSoon([{ id: runId }])
  await sleep(AWAY_MS)
  await redis?.open()
  // The sweep looks for runs that are due for a while.
  await query(app.db, "update runs set created_at = created_at - interval '1 minute'")
  for (;;) {
    await app.scheduler.tick()
    const [run] = await query<{ status: string }>(app.db, 'select status from runs where id = $1', [runId])
    if (run?.status !== 'queued') break
  }
  await scene.ended(runId)
  return runId
}

const REDIS: readonly QueueKind[] = hasRedisServer() ? ['redis'] : []
const BOTH: readonly QueueKind[] = ['postgres', ...REDIS]
/** Other processes find the queue by its usual name, so it needs a Redis of its own. */
const twoProcesses = (options: RowOptions = {}): RowOptions => ({
  backends: BOTH,
  ...options,
  scene: { ownRedis: true, config: { worker: { lock: '5s', drain: '10ms' } }, ...options.scene },
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
    twoProcesses({ heals: true, delegate: 'hosted', play: killedAt('look', { background: true }), scene: { background: true } }),
  ),
  row('database gone for 10 s', ['succeeded', null, 1, 1], nothing, {
    play: awayAtLook('toDatabase'),
    scene: { shutsDatabase: true },
  }),
  row('database gone for 10 s', ['succeeded', null, 1, 1], nothing, {
    delegate: 'hosted',
    script: MIDDLE,
    play: awayAtLook('toDatabase'),
    scene: { shutsDatabase: true },
  }),
  row('Redis gone for 10 s, and one more run afterwards', ['succeeded', null, 1, 2], nothing, {
    backends: REDIS,
    play: awayAtLook('redis'),
    scene: { ownRedis: true },
  }),
  row('Redis gone for 10 s while a run is asked for', ['succeeded', null, 1, 1], nothing, {
    backends: REDIS,
    play: queuedWhileAway,
    scene: { ownRedis: true },
  }),
]
