import { firstWake } from '../../../src/core/ports/wake.ts'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pino } from 'pino'
import { createApp, type App } from '../../../src/app/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { makeCertificate } from '../../../src/demo/gateway/certificate.ts'
import { script } from '../../../src/demo/model/script.ts'
import { DOMAIN, startWorld, type World, type WorldOptions } from '../../../src/demo/world.ts'
import { createRun } from '../../../src/runs/create.ts'
import type { Progress } from '../../../src/runs/progress.ts'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import type { RunView } from '../../../src/core/view.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../mcp/counting-server.ts'
import { startOwnRedis, startWayTo, type Outage } from './outage.ts'
import { createLateAccounts } from '../gateway/late-accounts.ts'
import { openTestMinter } from '../gateway/minter.ts'
import { freePort } from '../net/listen.ts'
import { watchProgress } from './progress.ts'
import { reachGateway, startFaultProxy, type FaultProxy } from '../gateway/fault-proxy.ts'

/** Servers that fault benches share. Nothing here needs a test runner. */
export interface FaultBenchUrls {
  postgresUrl: string
  redisUrl: string | undefined
}

export interface FaultBenchOptions extends Partial<Pick<WorldOptions, 'background' | 'api' | 'config' | 'validate' | 'server'>> {
  urls: FaultBenchUrls
  /** The job `act`: YAML text. */
  job: string
  /** What the model says. */
  script: string
  /** Over the route of the counting server. */
  route?: Record<string, unknown>
  /** Whose certificate the way to the gateway shows. */
  certificateHosts?: readonly string[]
  /** Each run has an account of its own. */
  perRun?: boolean
  /** The way to Postgres can be shut. */
  shutsDatabase?: boolean
  /** The queue is a redis-server of the bench's own, which can be shut. Only where the queue is in Redis. */
  ownRedis?: boolean
}

/** A Nightshift with a proxy on each of its three ways: to the gateway, to the server behind it, and to the model. */
export interface FaultBench extends AsyncDisposable {
  world: World
  server: CountingServer
  /** Between Nightshift and the gateway. A hosted provider does not go this way. */
  toGateway: FaultProxy
  /** Between the gateway and the server. */
  toServer: FaultProxy
  /** Between Nightshift and the model. */
  toModel: FaultProxy
  app: App
  toDatabase: Outage | undefined
  redis: Outage | undefined
  /** Number of attempts begun so far. */
  attempts(): number
  /** Told when an attempt failed and another will follow. */
  onRetry: (attempt: number) => void
  /** Writes a run of `act` without telling the queue. */
  write(): Promise<string>
  /** Queues a run of `act`. */
  queue(): Promise<string>
  /** Resolves when the run is over, or waits for a person. */
  ended(runId: string): Promise<RunView>
  /** Resolves when it is over, also when it waited before. */
  finished(runId: string): Promise<RunView>
}

/** A database of its own, for as long as the stack lives. It is empty: whoever opens it migrates it. */
export async function useDatabase(stack: AsyncDisposableStack, postgresUrl: string): Promise<string> {
  const name = `scene_${randomBytes(6).toString('hex')}`
  const admin = openDb({ url: postgresUrl, max: 1 })
  stack.defer(async () => {
    await query(admin, `drop database if exists ${name} with (force)`)
    await admin.end()
  })
  await query(admin, `create database ${name}`)
  const url = new URL(postgresUrl)
  url.pathname = `/${name}`
  return url.href
}

export async function buildFaultBench(options: FaultBenchOptions): Promise<FaultBench> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-bench-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  writeFileSync(join(jobsDir, 'act.yaml'), options.job)
  const direct = await useDatabase(building, options.urls.postgresUrl)
  const toDatabase = options.shutsDatabase ? building.use(await startWayTo(direct)) : undefined
  const databaseUrl = toDatabase?.url ?? direct

  const certificate = await makeCertificate(options.certificateHosts ?? [`*.${DOMAIN}`])
  const caFile = join(dir, 'proxy-ca.pem')
  writeFileSync(caFile, certificate.cert)
  const server = building.use(await startCountingServer())
  const toServer = building.use(await startFaultProxy({ target: { origin: server.url } }))
  const toGateway = building.use(await startFaultProxy({ tls: certificate }))
  const toModel = building.use(await startFaultProxy())
  const { config = {}, perRun = false, ...rest } = options
  const { accounts, standFor } = createLateAccounts()
  const minter = perRun ? building.use(await openTestMinter({ accounts })) : undefined
  const redis =
    options.ownRedis && options.urls.redisUrl !== undefined ? building.use(await startOwnRedis(dir, await freePort())) : undefined
  const redisUrl = redis?.url ?? options.urls.redisUrl
  const world = building.use(
    await startWorld({
      ...rest,
      dir,
      jobsDir,
      scripts: { scripted: script(options.script) },
      routes: [countingRoute(server, { to: toServer.url, maxRequestBytes: 1_048_576, ...options.route })],
      config: {
        databaseUrl: databaseUrl,
        ...(redisUrl !== undefined && { redisUrl: redisUrl }),
        servers: { counting: { maxRequestBytes: 1_048_576 } },
        // A worker process says in its log when it is at work.
        log: { level: 'info' },
        prices: { scripted: { input: 1, cachedInput: 1, output: 1 } },
        ...(minter && {
          minter: { socket: minter.socket },
          accounts: { reports: { tokenFile: 'reports.token', perRun: true } },
        }),
        ...config,
        gateway: { address: toGateway.address, caFile: caFile, ...mapping(config['gateway']) },
        providers: {
          openai: {
            api: options.api ?? 'responses',
            baseUrl: `${toModel.url}/v1`,
            apiKey: 'demo-model-key',
            background: options.background ?? false,
            ...mapping(config['provider']),
          },
        },
        provider: undefined,
      },
    }),
  )
  standFor(world.gateway.accounts)
  const reach = reachGateway(world.gateway, readFileSync(join(dir, 'gateway-ca.pem'), 'utf8'))
  building.defer(() => reach.destroy())
  toGateway.target = { dispatcher: reach }
  toModel.target = { origin: world.model.url }

  const watch = watchProgress()
  const { progress } = watch
  const loadedConfig = loadConfig({ file: world.configFile, env: {} })
  const app = building.use(
    await createApp({
      config: loadedConfig,
      log: pino({ level: 'silent' }),
      // A queue of its own, in a Redis that others use too; alone in one it has the name that other processes expect.
      queuePrefix: redis ? undefined : basename(dir),
      onProgress(one) {
        watch.onProgress(one)
        if (one.event === 'retry') bench.onRetry(bench.attempts())
      },
    }),
  )
  if (app.jobs.issues().length > 0) throw new Error(app.jobs.issues().join('\n'))
  const stack = building.move()

  const reached = (runId: string, events: readonly Progress['event'][]) => watch.reached(app.db, runId, events)

  async function write(): Promise<string> {
    const job = app.jobs.jobs().get('act')
    if (!job) throw new Error('no job act')
    return createRun(app.db, job, { trigger: { kind: 'cli' } })
  }

  const bench: FaultBench = {
    world,
    server,
    toGateway,
    toServer,
    toModel,
    app,
    toDatabase,
    redis,
    attempts: () => progress.filter(({ event }) => event === 'attempt').length,
    onRetry: () => {},
    write,
    async queue() {
      const id = await write()
      await app.producer.wake([firstWake(id)])
      return id
    },
    ended: (runId) => reached(runId, ['finished', 'waiting']),
    finished: (runId) => reached(runId, ['finished']),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
  return bench
}

const mapping = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
