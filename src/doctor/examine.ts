import type { Dispatcher } from 'undici'
import type { ConfigValues } from '../config/schema.ts'
import { keysUrlOf } from '../config/sections/api.ts'
import type { Remark } from '../config/surroundings.ts'
import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Redactor } from '../lib/redact.ts'
import type { LoadedJobs } from '../jobs/directory.ts'
import type { Job } from '../jobs/job.ts'
import type { Provider } from '../models/provider.ts'
import type { RouteList } from '../pomerium/routes.ts'
import type { TokenSource } from '../pomerium/token.ts'
import type { Db } from '../store/postgres/db.ts'
import { bounded, failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'
import { checkRoutes, checkServer, checkServerNames, notAsked } from './gateway.ts'
import { checkMinter, checkQueue, checkStore } from './infrastructure.ts'
import { checkLog } from './log.ts'
import { checkHosted, HOSTED_MS } from './hosted.ts'
import { checkModel, MODEL_MS } from './model.ts'
import { checkAssertionKeys, checkEvidenceKey, checkReportsDir, checkWays, checkWebhook } from './places.ts'
import { examineStatus } from './status/examine.ts'
import { checkAccount } from './token-expiry.ts'

/** A configuration that was read, with what is to be changed in it. */
export type ExaminedConfig = ConfigValues & { notes: readonly string[] }

/** What is looked at of an opened Nightshift. */
export interface ExaminedParts extends AsyncDisposable {
  db: Db
  /** Most connections to Postgres that a process opens. */
  mostConnections: number
  resources: {
    accounts: ReadonlyMap<string, TokenSource>
    perRun: ReadonlySet<string>
    providers: ReadonlyMap<string, Provider>
    maxRequestBytes: ReadonlyMap<string, number>
    gateway: { timeoutMs: number; maxResponseBytes: number; dispatcher: Dispatcher }
    redactor: Pick<Redactor, 'redact'>
  }
  gatewayFetch: (account: string) => GatewayFetch | undefined
  routes: (account: string, signal: AbortSignal) => Promise<RouteList | undefined>
}

export interface ExamineOptions<Config extends ExaminedConfig> {
  readConfig: () => Config
  loadJobs: (config: Config) => LoadedJobs
  /** Puts the parts together, which nothing does while store or queue are away. */
  open: (config: Config) => Promise<ExaminedParts>
  /** On the environment of this process. */
  remarks: (config: Config) => readonly Remark[]
  /** Models are asked a word, for a few tokens. */
  spend: boolean
  signal: AbortSignal
}

/** What each check may look at. */
interface Context {
  config: ExaminedConfig
  parts: ExaminedParts
  jobs: readonly Job[]
  spend: boolean
  signal: AbortSignal
}

type Check = (context: Context) => AsyncIterable<Finding> | Iterable<Finding>

/** The checks of each key of the configuration, in the order of their findings. A key that needs none says why: one that is added has to say something. */
const CHECKS: { readonly [Key in keyof ConfigValues]-?: Check | string } = {
  databaseUrl: examineStore,
  databasePasswordFile: 'it is read with databaseUrl',
  dataDir: 'opening the store writes there',
  redisUrl: 'it is asked before the parts are put together',
  jobsDir: 'the jobs are read first',
  minter: ({ config, parts: { resources }, signal }) => {
    const { minter } = config
    if (!minter || resources.perRun.size === 0) return []
    const cure = 'Start nightshift minter again.'
    return each(bounded('minter', cure, signal, () => checkMinter(minter.socket, [...resources.perRun])))
  },
  gateway: ({ config }) => checkWays(config),
  accounts: examineAccounts,
  servers: ({ config, jobs }) => checkServerNames(Object.keys(config.servers), jobs),
  audit: ({ parts, config, signal }) => each(bounded('log', STORE_CURE, signal, () => checkLog(parts.db, config.audit.gracePeriod))),
  evidence: ({ config }) => [checkEvidenceKey(config.evidence)],
  budgets: 'its names are compared with those of accounts and jobs as these are read',
  api: ({ config: { api }, parts: { resources }, signal }) => {
    if (!api?.pomerium) return []
    const url = keysUrlOf(api.pomerium)
    return each(
      bounded('api.pomerium', 'Correct api.pomerium.jwksUrl.', signal, (ended) =>
        checkAssertionKeys(url, resources.gateway.dispatcher, ended),
      ),
    )
  },
  reportsDir: ({ config, jobs }) =>
    jobs.some(({ definition }) => definition.deliver.some(({ file }) => file !== undefined)) ? [checkReportsDir(config.reportsDir)] : [],
  reportsReadableBy: 'it is a mode of files to come',
  webhooks: examineWebhooks,
  alerts: 'its webhook is asked with the others',
  prices: 'the jobs are checked against it',
  models: 'it names what models read and write',
  contract: 'it is words alone',
  retention: 'it names ages alone',
  admin: 'nightshift account asks there; no run does',
  worker: 'it is about this process alone',
  log: 'it is about this process alone',
  providers: async function* (context) {
    yield* examineModels(context)
    yield* examineHosted(context)
  },
}

const STORE_CURE = 'See what keeps Postgres from answering.'
const REST = skipped('the rest', 'not checked: store and queue come first')

/** Checks everything that runs need, and gives each finding once it is there, in the order in which a run would meet its cause. Calls no tool. */
export async function* examine<Config extends ExaminedConfig>(options: ExamineOptions<Config>): AsyncGenerator<Finding, void> {
  const { spend, signal } = options
  let config: Config
  let loaded: LoadedJobs
  try {
    config = options.readConfig()
  } catch (error) {
    return yield failedBy('config', error)
  }
  yield checkNotes(config.notes)
  for (const { message, cure } of options.remarks(config)) yield warning('environment', message, cure)
  try {
    loaded = options.loadJobs(config)
  } catch (error) {
    return yield* [failedBy('jobs', error), skipped('the rest', 'not checked: the job files come first')]
  }
  yield checkJobs(loaded)
  // Before the parts are put together: a queue that is away would stop that.
  const queue = await bounded('queue', 'See what keeps Redis from answering.', signal, (ended) => checkQueue(config.redisUrl, ended))
  if (queue.some(({ status, check }) => status === 'failed' && check === 'queue')) return yield* [...queue, REST]
  let parts: ExaminedParts
  try {
    parts = await options.open(config)
  } catch (error) {
    return yield* [failedBy(partOf(error), error), REST]
  }
  await using opened = parts
  const context: Context = { config, parts: opened, jobs: [...loaded.jobs.values()], spend, signal }
  yield* examineStore(context)
  yield* queue
  for (const check of Object.values(CHECKS)) if (typeof check === 'function' && check !== examineStore) yield* check(context)
}

async function* each(findings: Promise<readonly Finding[]>): AsyncGenerator<Finding, void> {
  yield* await findings
}

async function* examineStore({ config, jobs, parts: { db, mostConnections, resources }, signal }: Context): AsyncGenerator<Finding, void> {
  const kind = config.databaseUrl === undefined ? 'embedded' : 'external'
  yield* await bounded('store', STORE_CURE, signal, () => checkStore(db, { kind, mostConnections }))
  const accounts = new Set(resources.accounts.keys())
  yield* await bounded('status', STORE_CURE, signal, () => examineStatus({ db, jobs, accounts, issues: [] }))
}

async function* examineWebhooks({ config: { webhooks, alerts }, signal }: Context): AsyncGenerator<Finding, void> {
  for (const [name, { url, proxy, caFile }] of Object.entries(webhooks))
    yield* await bounded(`webhook ${name}`, `Correct webhooks.${name}.url, or start the receiver.`, signal, (ended) =>
      checkWebhook(name, url, ended, { proxy, caFile }),
    )
  if (!alerts) yield skipped('alerts', 'none are sent: an alarm is a line of the log alone (alerts: in the configuration)')
}

async function* examineModels({ jobs, parts: { resources }, spend, signal }: Context): AsyncGenerator<Finding, void> {
  const models = new Map(jobs.map(({ definition: { model } }) => [`${model.provider}/${model.name}`, model]))
  for (const [both, { provider, name }] of models)
    yield* await bounded(
      `model ${both}`,
      `Check providers.${provider}.baseUrl and the network.`,
      signal,
      (ended) => checkModel(provider, resources.providers.get(provider), name, { spend, signal: ended }),
      spend ? MODEL_MS : undefined,
    )
}

/** Models of hosted jobs, each at the first server that the account of such a job lists. */
async function* examineHosted({ jobs, parts: { resources, routes }, spend, signal }: Context): AsyncGenerator<Finding, void> {
  const hosted = jobs.filter(({ definition }) => definition.delegate === 'hosted')
  for (const [both, of] of Map.groupBy(hosted, ({ definition: { model } }) => `${model.provider}/${model.name}`)) {
    const [job] = of
    if (!job) continue
    const { provider, name } = job.definition.model
    yield* await bounded(
      `hosted ${both}`,
      `Check providers.${provider}.baseUrl and the network.`,
      signal,
      async (ended) => {
        const target = spend ? await firstServer(of, (account) => routes(account, ended)) : undefined
        return checkHosted(provider, resources.providers.get(provider), name, { target, spend, signal: ended })
      },
      spend ? HOSTED_MS : undefined,
    )
  }
}

/** A server of the jobs, with its address. */
async function firstServer(
  jobs: readonly Job[],
  routesOf: (account: string) => Promise<RouteList | undefined>,
): Promise<{ server: string; url: string } | undefined> {
  for (const { definition } of jobs) {
    // Why an account lists nothing is said where it is looked at.
    const listed = await routesOf(definition.account).catch(() => undefined)
    for (const server of Object.keys(definition.tools)) {
      const url = listed?.routes.get(server)?.url
      if (url !== undefined) return { server, url }
    }
  }
  return undefined
}

const checkNotes = (notes: readonly string[]): Finding =>
  notes.length === 0 ? ok('config', 'is valid') : warning('config', `is valid, but ${notes.join('; ')}`, 'Change these lines as they say.')

function checkJobs({ jobs, issues, warnings }: LoadedJobs): Finding {
  if (issues.length > 0) return failed('jobs', issues.join('; '), 'Correct what is named.', 'JOB_INVALID')
  if (warnings.length > 0) return warning('jobs', `${jobs.size} valid, but ${warnings.join('; ')}`, 'Change these lines as they say.')
  return ok('jobs', `${jobs.size} valid`)
}

/** Which part it was that could not be opened. */
function partOf(error: unknown): string {
  const code = error instanceof Failure ? error.code : ''
  return code.startsWith('STORE_') ? 'store' : code.startsWith('QUEUE_') ? 'queue' : 'config'
}

async function* examineAccounts({ parts, jobs, signal }: Context): AsyncGenerator<Finding, void> {
  for (const account of parts.resources.accounts.keys()) yield* examineAccount(parts, account, jobs, signal)
}

async function* examineAccount(
  { resources, gatewayFetch, routes }: ExaminedParts,
  account: string,
  jobs: readonly Job[],
  signal: AbortSignal,
): AsyncGenerator<Finding, void> {
  const tokens = resources.accounts.get(account)
  const fetch = gatewayFetch(account)
  if (!tokens || !fetch) return
  const { finding, token } = checkAccount(account, tokens)
  yield finding
  if (!token) return yield notAsked(account)
  const gatewayCure = 'Check gateway.url, gateway.address and the network.'
  let known: RouteList | undefined
  yield* await bounded(`gateway as ${account}`, gatewayCure, signal, async (ended) => {
    const { findings, list } = await checkRoutes(account, () => routes(account, ended))
    known = list
    return findings
  })
  if (!known) return
  const listed = known
  const mine = jobs.filter(({ definition }) => definition.account === account)
  for (const server of new Set(mine.flatMap(({ definition }) => Object.keys(definition.tools))))
    yield* await bounded(`server ${server} as ${account}`, 'See whether the server behind the route is well.', signal, (ended) =>
      checkServer({
        account,
        server,
        jobs: mine.filter(({ definition }) => Object.hasOwn(definition.tools, server)),
        list: listed,
        fetch,
        maxRequestBytes: resources.maxRequestBytes.get(server),
        timeoutMs: resources.gateway.timeoutMs,
        maxResponseBytes: resources.gateway.maxResponseBytes,
        redact: resources.redactor.redact,
        signal: ended,
      }),
    )
}
