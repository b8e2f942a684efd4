import type { Logger } from 'pino'
import { misspelt, unknownJobs } from '../config/names/of-jobs.ts'
import type { Config } from '../config/load.ts'
import { describeError } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Job } from '../jobs/job.ts'
import type { PinnedTool } from '../jobs/lock.ts'
import type { Provider } from '../models/provider.ts'
import { createJobRegistry, type JobRegistry } from '../jobs/registry.ts'
import { createOutbox } from '../delivery/outbox.ts'
import type { RouteList } from '../pomerium/routes.ts'
import { allCeilings, createConcurrencyOf, tokenSeconds } from './resources.ts'
import { openQueueBackend } from '../queue/backend.ts'
import { createProducer, type Producer } from '../queue/producer.ts'
import { createSweeper } from '../queue/sweep.ts'
import { createAccountSweeper } from '../runs/accounts/account-sweep.ts'
import { createScheduler } from '../schedules/scheduler.ts'
import { createConsentWatcher } from '../waiting/consent.ts'
import type { Duty } from '../lib/time/duty.ts'
import type { Poller } from '../lib/time/poll.ts'
import { createClockWatch } from './clock.ts'
import { createPresence } from './presence.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'
import { beatTimeouts } from '../queue/heartbeat.ts'
import { createTokenWatcher } from '../doctor/token-expiry.ts'
import { createRunWorker } from '../queue/worker.ts'
import { createRunner, type Runner } from '../runs/execute.ts'
import { toolsToPin } from '../runs/attempt/pins/tools-to-pin.ts'
import { gatewayFetchFor, routesOf } from './gateway.ts'
import type { OnProgress } from '../runs/progress.ts'
import type { RunResources } from '../runs/resources.ts'
import type { Hono } from 'hono'
import type { IdentityOptions } from '../http/identity.ts'
import { createWatchdog } from './watchdog/watchdog.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import { createGenerations } from './live/generations.ts'
import { createIdentity } from './live/identity.ts'
import { createLiveConfig, type LiveConfig } from './live/live-config.ts'
import { createLiveSender } from './live/sender.ts'
import { createApiRoutes, createHealthRoutes } from './routes.ts'
import { createHttpServer, type HttpServer } from './server.ts'
import { createTokenUses } from '../store/api-tokens.ts'
import { createServedRequests } from '../store/audit/join/served.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { openDb, type Db } from '../store/postgres/db.ts'
import { VERSION } from '../lib/version.ts'
import { tryWrite } from '../store/postgres/facts.ts'
import { openStore } from './open/store.ts'
import { notifierOf } from './notify.ts'
import { processName } from './open/process-name.ts'
import { createJournalWriter } from '../store/attempts/journal.ts'
import { createRequestLog } from '../store/attempts/requests.ts'

export interface AppOptions {
  config: Config
  /** Reads the configuration anew, for a process that follows its file. */
  readConfig?: () => Config
  log: Logger
  onProgress?: OnProgress | undefined
  /** The embedded database and the queue are removed when this process ends. */
  ephemeral?: boolean
  /** Keeps the queues of several apps on one Redis apart. */
  queuePrefix?: string | undefined
  /** Puts another in the place of each provider of the configuration. */
  wrapProvider?: ((provider: Provider) => Provider) | undefined
}

/** Everything that runs in one process, built from one configuration. Disposing stops what was started, in order. */
export interface App extends AsyncDisposable {
  /** What is in force. */
  readonly config: Config
  db: Db
  queueKind: 'redis' | 'postgres'
  producer: Producer
  runner: Runner
  worker: Duty
  /** Ends this process when its event loop is blocked for longer than the lease of its runs. */
  watchdog: Lifecycle
  scheduler: Poller
  sweeper: Poller
  accountSweeper: Poller
  upkeep: Upkeep
  consent: Poller
  outbox: Poller
  /** Serves health, metrics and the API. Undefined without an `api:` section. */
  createApiServer(): HttpServer | undefined
  /** Serves health and metrics alone. Undefined without an `api:` section. */
  createHealthServer(): HttpServer | undefined
  jobs: JobRegistry
  /** Warns of tokens that expire. */
  tokens: Poller
  /** Keeps in force what the configuration file says. */
  liveConfig: LiveConfig
  /** Writes into the store that this process is at work, as what, and how its duties are. */
  createPresence(role: string): Poller
  /** Gateway requests of an account outside of any run. */
  gatewayFetch(account: string): GatewayFetch | undefined
  routes(account: string, signal: AbortSignal): Promise<RouteList | undefined>
  /** Those in force. */
  readonly resources: RunResources
  /** The tools of a job as its servers describe them now: what `jobs pin` writes down. */
  toolsToPin(job: Job, signal: AbortSignal): Promise<PinnedTool[]>
}

/** While nobody may call, nobody queues. */
const NO_QUEUE = { maxQueued: 0, maxAhead: 0, sharePercent: 100 }
/** Builds the process. It takes no run and fires no schedule until `worker.start` and `scheduler.start`. */
export async function createApp({
  config,
  readConfig = () => config,
  log,
  onProgress,
  ephemeral,
  queuePrefix,
  wrapProvider = (provider) => provider,
}: AppOptions): Promise<App> {
  await using building = new AsyncDisposableStack()
  const generations = building.use(
    createGenerations({
      config,
      wrapProvider,
      onFailure: (error) => log.warn({ reason: describeError(error) }, 'What an earlier configuration opened could not be closed.'),
    }),
  )
  const resources = () => generations.now().resources
  const inForce = () => generations.now().config
  const { redactor } = resources()
  const liveConfig = createLiveConfig({
    config,
    read: readConfig,
    replace: generations.replace,
    onChange: (next) => (log.level = next.log.level),
    reloadJobs: () => jobs.reload(),
    loose: (next) => [...unknownJobs(next, [...jobs.jobs().keys()]), ...misspelt(next, [...jobs.jobs().values()])],
    log,
  })
  building.defer(() => liveConfig.watch.stop())
  const jobs = createJobRegistry({
    dir: config.jobsDir,
    offer: () => generations.now().offer,
    beforeReload: liveConfig.refresh,
    afterReload: liveConfig.checkNames,
    log,
  })
  building.defer(() => jobs.stop())
  const { db, url } = await openStore(config, building, { ephemeral })
  const backend = building.adopt(await openQueueBackend({ redisUrl: config.redisUrl, databaseUrl: url, prefix: queuePrefix }), (opened) =>
    opened.close(),
  )
  const queue = building.adopt(await backend.queue(), (opened) => opened.close())
  // oxlint-disable-next-line waits/bounded -- each of its commands has a bound of its own (queue/backend.ts)
  if (ephemeral) building.defer(() => queue.obliterate({ force: true }))
  const producer = createProducer(queue, log)
  building.defer(() => producer.flush())
  const leaseMs = config.worker.lockTimeout
  const duties: Duty[] = []
  const clock = createClockWatch({ db, log })
  const metrics = createMetrics({
    db,
    tokenSeconds: () => tokenSeconds(resources()),
    named: (job) => {
      const definition = jobs.jobs().get(job)?.definition
      return definition && { model: definition.model.name, servers: Object.keys(definition.tools) }
    },
    jobFaults: () => jobs.issues().length,
    tagNames: () => inForce().api?.metricTags ?? [],
    duties: () => duties,
    skewMs: () => clock.skewMs(),
    config: () => liveConfig.state(),
  })
  const tellAll: OnProgress = (progress) => {
    // Who watches a run never fails it.
    for (const listen of [metrics.onProgress, onProgress])
      try {
        listen?.(progress)
      } catch (error) {
        log.error({ runId: progress.runId, reason: describeError(error) }, 'The progress of a run could not be told.')
      }
  }
  const name = processName()
  const concurrencyOf = createConcurrencyOf(inForce)
  const watchdog = createWatchdog({ worker: name, databaseUrl: url, leaseMs, slots: config.worker.concurrency, log })
  building.defer(() => watchdog.stop())
  const runner = createRunner({
    db,
    journal: createJournalWriter(db),
    resources: { redactor, hold: generations.hold },
    worker: name,
    leaseMs,
    concurrencyOf,
    log,
    onProgress: tellAll,
    onWork: (attempt) => watchdog.enter(attempt),
  })
  const beats = building.adopt(openDb({ url, max: 1, applicationName: 'nightshift heartbeat', timeouts: beatTimeouts(leaseMs) }), (own) =>
    own.end(),
  )
  const worker = createRunWorker({
    beats,
    backend,
    producer,
    runner,
    name,
    concurrency: config.worker.concurrency,
    lockMs: leaseMs,
    drainMs: () => inForce().worker.drainTimeout,
    log,
  })
  building.defer(() => worker.stop())
  const routes: App['routes'] = async (account, signal) => {
    using held = generations.hold()
    return await routesOf(held.resources, db, account, signal)
  }
  const consent = createConsentWatcher({ db, producer, routesOf: routes, log })
  building.defer(() => consent.stop())
  const destinations = createLiveSender(generations.hold)
  const outbox = createOutbox({ db, destinations, log })
  building.defer(() => outbox.stop())
  const scheduler = createScheduler({ db, producer, jobs: () => jobs.jobs(), log, onFire: metrics.onFire })
  building.defer(() => scheduler.stop())
  const sweeper = createSweeper({ db, producer, leaseMs, concurrencyOf, log })
  building.defer(() => sweeper.stop())
  const accountSweeper = createAccountSweeper({ db, minter: () => resources().minter, log })
  building.defer(() => accountSweeper.stop())
  const upkeep = createUpkeep({ db, config: inForce, notify: notifierOf(inForce, destinations), onKey: redactor.add, log })
  building.defer(() => upkeep.stop())
  const tokens = createTokenWatcher({ accounts: () => resources().accounts, log })
  building.defer(() => tokens.stop())
  duties.push(liveConfig.watch, tokens, worker, consent, outbox, scheduler, sweeper, ...upkeep.duties, accountSweeper)
  const health = {
    checks: { store: () => tryWrite(db), queue: () => Promise.all([backend.check(), queue.count()]) },
    duties: () => duties,
    skewMs: () => clock.skewMs(),
    metrics,
    log,
  }
  const stack = building.move()

  function serve(routesOfServer: (identity: IdentityOptions, ending: AbortSignal) => Hono): HttpServer | undefined {
    const { api } = config
    if (!api) return undefined
    const identity = createIdentity(generations, { onServed: createServedRequests(db, log), onToken: createTokenUses(db, log) })
    const hasIdentity = Object.keys(api.tokens).length > 0 || api.pomerium !== undefined
    const server = createHttpServer({ listen: api.listen, hasIdentity, routes: (ending) => routesOfServer(identity, ending) })
    stack.defer(() => server.stop())
    return server
  }

  return {
    get config() {
      return inForce()
    },
    db,
    queueKind: backend.kind,
    producer,
    runner,
    worker,
    watchdog,
    scheduler,
    sweeper,
    accountSweeper,
    upkeep,
    consent,
    outbox,
    createApiServer: () =>
      serve((identity, ending) =>
        createApiRoutes(
          {
            ...health,
            identity,
            api: {
              db,
              jobs,
              producer,
              queueLimits: () => inForce().api ?? NO_QUEUE,
              accounts: () => new Set(resources().accounts.keys()),
              configDigest: () => liveConfig.state().digest,
              ceilings: () => allCeilings(inForce()),
            },
          },
          ending,
        ),
      ),
    createHealthServer: () => serve((_identity, ending) => createHealthRoutes(health, ending)),
    jobs,
    tokens,
    liveConfig,
    createPresence(role) {
      const slots = role === 'all' || role === 'worker' ? config.worker.concurrency : null
      const presence = createPresence({
        db,
        self: { name, role, version: VERSION, slots },
        duties,
        redact: redactor.redact,
        clock,
        config: () => liveConfig.state(),
        log,
      })
      stack.defer(() => presence.stop())
      duties.push(presence)
      return presence
    },
    gatewayFetch: (account) => gatewayFetchFor(resources(), db, account),
    routes,
    get resources() {
      return resources()
    },
    toolsToPin: (job, signal) => toolsToPin(resources(), createRequestLog(db), job.definition, signal),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
