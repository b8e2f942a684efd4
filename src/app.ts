import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { readSecret, type Config } from './config.ts'
import type { Ceiling } from './core/budget.ts'
import type { Price } from './core/price.ts'
import { createRedactor } from './core/redact.ts'
import { loadJobs, type LoadedJobs, type Offer } from './jobs/load.ts'
import { createProvider, type Provider } from './llm/provider.ts'
import { createDispatcher } from './pomerium/dispatcher.ts'
import { createGatewayFetch } from './pomerium/gateway.ts'
import { listRoutes, type Route } from './pomerium/routes.ts'
import { createTokenSource, type TokenSource } from './pomerium/token.ts'
import { openQueueBackend } from './queue/backend.ts'
import { createProducer, type Producer } from './queue/producer.ts'
import { createScheduler, type Scheduler } from './queue/scheduler.ts'
import { createConnectionWatch, type ConnectionWatch } from './queue/connections.ts'
import type { Lifecycle } from './queue/lifecycle.ts'
import { createRunWorker } from './queue/worker.ts'
import { createRunner, type Runner } from './runs/execute.ts'
import type { OnProgress } from './runs/progress.ts'
import type { Tools } from './runs/tools.ts'
import { openDb, type Db } from './store/db.ts'
import { startEmbeddedPostgres } from './store/embedded.ts'
import { createJournalWriter } from './store/journal.ts'
import { migrate } from './store/migrate.ts'
import { createRequestLog } from './store/requests.ts'

export interface AppOptions {
  config: Config
  log: Logger
  onProgress?: OnProgress | undefined
  /** The embedded database ends with this process, and the queue is removed. */
  ephemeral?: boolean
  /** Keeps the queues of several apps on one Redis apart. */
  queuePrefix?: string | undefined
}

/** The parts of Nightshift over one configuration. Disposing ends all that was started, in order. */
export interface App extends AsyncDisposable {
  config: Config
  db: Db
  queueKind: 'redis' | 'postgres'
  producer: Producer
  runner: Runner
  worker: Lifecycle
  scheduler: Scheduler
  connections: ConnectionWatch
  jobs: LoadedJobs
}

const SPARE_CONNECTIONS = 6
const MAX_CONNECTIONS = 20

/** Reads the job files against what the configuration offers; needs no database. */
export function loadConfiguredJobs(config: Config): LoadedJobs {
  return loadJobs(config.jobsDir, offerOf(config))
}

function offerOf(config: Config): Offer {
  return {
    accounts: Object.keys(config.accounts),
    providers: Object.keys(config.providers),
    canHost: (provider) => config.providers[provider]?.api === 'responses',
    hasPrice: (model) => Object.hasOwn(config.prices, model),
    hasMoneyBudget: (job, account) => ceilingsOf(config, job, account).some(({ costUsd }) => costUsd !== undefined),
  }
}

/** Opens the store alone, migrated: what commands that only read need. */
export async function openStore(
  config: Config,
  stack: AsyncDisposableStack,
  options: { ephemeral?: boolean | undefined } = {},
): Promise<{ db: Db; url: string }> {
  let url = config.database_url
  if (url === undefined) {
    const embedded = await startEmbeddedPostgres({ dir: join(config.dataDir, 'postgres'), ephemeral: options.ephemeral ?? false })
    stack.defer(() => embedded.stop())
    url = embedded.url
  }
  const db = openDb({ url, max: Math.min(MAX_CONNECTIONS, config.worker.concurrency + SPARE_CONNECTIONS) })
  stack.defer(() => db.end())
  await migrate(db)
  return { db, url }
}

/** Puts the parts together. Nothing takes runs or fires schedules until `worker.start` and `scheduler.start`. */
export async function createApp({ config, log, onProgress, ephemeral, queuePrefix }: AppOptions): Promise<App> {
  await using building = new AsyncDisposableStack()
  const jobs = loadConfiguredJobs(config)
  const tools = createTools(config, building)
  const { db, url } = await openStore(config, building, { ephemeral })
  const backend = building.adopt(await openQueueBackend({ redisUrl: config.redis_url, databaseUrl: url, prefix: queuePrefix }), (opened) =>
    opened.close(),
  )
  const queue = building.adopt(backend.queue(), (opened) => opened.close())
  if (ephemeral) building.defer(() => queue.obliterate({ force: true }))
  const producer = createProducer(queue, log)
  const staleAfterMs = config.worker.lock
  const runner = createRunner({
    db,
    journal: createJournalWriter(db),
    tools,
    worker: `${hostname()}:${process.pid}`,
    staleAfterMs,
    log,
    onProgress,
  })
  const worker = createRunWorker({
    db,
    backend,
    producer,
    runner,
    concurrency: config.worker.concurrency,
    lockMs: config.worker.lock,
    drainMs: config.worker.drain,
    log,
  })
  building.defer(() => worker.stop())
  const connections = createConnectionWatch({ db, producer, routesOf: (account, signal) => routesOf({ tools, db, account }, signal), log })
  building.defer(() => connections.stop())
  const scheduler = createScheduler({ db, producer, jobs: () => jobs.jobs, staleAfterMs, log })
  building.defer(() => scheduler.stop())
  const stack = building.move()
  return {
    config,
    db,
    queueKind: backend.kind,
    producer,
    runner,
    worker,
    scheduler,
    connections,
    jobs,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function ceilingsOf({ budgets }: Config, job: string, account: string): Ceiling[] {
  const forAccount = budgets.accounts[account]
  const forJob = budgets.jobs[job]
  return [
    ...(forAccount ? [{ scope: 'account' as const, name: account, tokens: forAccount.tokens, costUsd: forAccount.costUsd }] : []),
    ...(forJob ? [{ scope: 'job' as const, name: job, tokens: forJob.tokens, costUsd: forJob.costUsd }] : []),
  ]
}

/** The route list as an account of this process sees it, with the request written down; undefined for an account that it does not have. */
async function routesOf(
  { tools, db, account }: { tools: Tools; db: Db; account: string },
  signal: AbortSignal,
): Promise<Map<string, Route> | undefined> {
  const tokens = tools.accounts.get(account)
  if (!tokens) return undefined
  const { dispatcher, maxResponseBytes, url: gatewayUrl, timeoutMs } = tools.gateway
  const fetch = createGatewayFetch({ dispatcher, account, tokens, runId: undefined, journal: createRequestLog(db), maxResponseBytes })
  return listRoutes({ fetch, gatewayUrl, account, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
}

function createTools(config: Config, stack: AsyncDisposableStack): Tools {
  const { gateway } = config
  const redactor = createRedactor()
  const dispatcher = createDispatcher({ address: gateway.address, caFile: gateway.ca_file, connections: gateway.connections })
  stack.defer(() => dispatcher.destroy())
  const providers = new Map<string, Provider>()
  for (const [name, { api, base_url: baseUrl, api_key, api_key_file, stream, store, background, timeout }] of Object.entries(
    config.providers,
  )) {
    const apiKey = readSecret(`providers.${name}`, api_key, api_key_file)
    if (apiKey !== undefined) redactor.add(apiKey)
    const provider = createProvider({ name, api, baseUrl, apiKey, stream, store, background, timeoutMs: timeout })
    stack.defer(() => provider.close())
    providers.set(name, provider)
  }
  const accounts = new Map<string, TokenSource>()
  for (const [account, { token, token_file: file }] of Object.entries(config.accounts))
    accounts.set(account, createTokenSource({ account, token, file, onToken: redactor.add }))
  return {
    accounts,
    gateway: { url: gateway.url, dispatcher, maxResponseBytes: gateway.maxResponseBytes, timeoutMs: gateway.timeout },
    maxRequestBytes: new Map(Object.entries(config.servers).map(([name, { maxRequestBytes }]) => [name, maxRequestBytes])),
    providers,
    prices: new Map<string, Price>(Object.entries(config.prices)),
    ceilings: (job, account) => ceilingsOf(config, job, account),
    toolConcurrency: config.worker.toolConcurrency,
    redactor,
  }
}
