import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Redactor } from '../lib/redact.ts'
import type { Job, LoadedJobs } from '../jobs/load.ts'
import type { Provider } from '../models/openai/provider.ts'
import type { Route } from '../pomerium/routes.ts'
import type { TokenSource } from '../pomerium/token.ts'
import type { Db } from '../store/postgres/db.ts'
import { failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'
import { checkAccount, checkRoutes, checkServer, notAsked } from './gateway.ts'
import { checkLogFields, checkMinter, checkQueue, checkStore } from './infrastructure.ts'
import { checkModel } from './model.ts'

/** What is looked at of a configuration. */
export interface ExaminedConfig {
  /** Keys under earlier names. */
  notes: readonly string[]
  redisUrl?: string | undefined
  databaseUrl?: string | undefined
  minter?: { socket: string } | undefined
}

/** What is looked at of an opened Nightshift. */
export interface ExaminedParts extends AsyncDisposable {
  db: Db
  resources: {
    accounts: ReadonlyMap<string, TokenSource>
    perRun: ReadonlySet<string>
    providers: ReadonlyMap<string, Provider>
    maxRequestBytes: ReadonlyMap<string, number>
    gateway: { timeoutMs: number; maxResponseBytes: number }
    redactor: Pick<Redactor, 'redact'>
  }
  gatewayFetch: (account: string) => GatewayFetch | undefined
  routes: (account: string, signal: AbortSignal) => Promise<Map<string, Route> | undefined>
}

export interface ExamineOptions<Config extends ExaminedConfig> {
  readConfig: () => Config
  loadJobs: (config: Config) => LoadedJobs
  /** Puts the parts together, which nothing does while store or queue are away. */
  open: (config: Config) => Promise<ExaminedParts>
  /** Models are asked a word, for a few tokens. */
  spend: boolean
  signal: AbortSignal
}

const REST = skipped('the rest', 'not checked: store and queue come first')

/** Checks everything that runs need, and gives each finding once it is there, in the order in which a run would meet its cause. Calls no tool. */
export async function* examine<Config extends ExaminedConfig>(options: ExamineOptions<Config>): AsyncGenerator<Finding, void> {
  let config: Config
  try {
    config = options.readConfig()
  } catch (error) {
    return yield failedBy('config', error)
  }
  yield checkNotes(config.notes)
  const loaded = options.loadJobs(config)
  yield checkJobs(loaded)
  // Before the parts are put together: a queue that is away would stop that.
  const queue = await checkQueue(config.redisUrl)
  if (queue.some(({ status, check }) => status === 'failed' && check === 'queue')) return yield* [...queue, REST]
  let parts: ExaminedParts
  try {
    parts = await options.open(config)
  } catch (error) {
    return yield* [failedBy(partOf(error), error), REST]
  }
  await using opened = parts
  yield* await checkStore(opened.db, config.databaseUrl === undefined ? 'embedded' : 'external')
  yield* queue
  const jobs = [...loaded.jobs.values()]
  const { accounts, perRun, providers } = opened.resources
  if (config.minter && perRun.size > 0) yield checkMinter(config.minter.socket, [...perRun])
  for (const account of accounts.keys()) yield* examineAccount(opened, account, jobs, options.signal)
  yield* await checkLogFields(opened.db)
  const models = new Map(jobs.map(({ definition: { model } }) => [`${model.provider}/${model.name}`, model]))
  for (const { provider, name } of models.values()) yield checkModel(provider, providers.get(provider), name, options.spend)
}

const checkNotes = (notes: readonly string[]): Finding =>
  notes.length === 0
    ? ok('config', 'is valid')
    : warning('config', `is valid, with keys under earlier names: ${notes.join('; ')}`, 'Give the keys at these lines their new names.')

const checkJobs = ({ jobs, issues }: LoadedJobs): Finding =>
  issues.length === 0 ? ok('jobs', `${jobs.size} valid`) : failed('jobs', issues.join('; '), 'Correct the files at the lines named.')

/** Which part it was that could not be opened. */
function partOf(error: unknown): string {
  const code = error instanceof Failure ? error.code : ''
  return code.startsWith('STORE_') ? 'store' : code.startsWith('QUEUE_') ? 'queue' : 'config'
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
  const { finding: listed, routes: known } = await checkRoutes(account, () => routes(account, signal))
  yield listed
  if (!known) return
  const mine = jobs.filter(({ definition }) => definition.account === account)
  for (const server of new Set(mine.flatMap(({ definition }) => Object.keys(definition.tools))))
    yield* await checkServer({
      account,
      server,
      jobs: mine.filter(({ definition }) => Object.hasOwn(definition.tools, server)),
      routes: known,
      fetch,
      maxRequestBytes: resources.maxRequestBytes.get(server),
      timeoutMs: resources.gateway.timeoutMs,
      maxResponseBytes: resources.gateway.maxResponseBytes,
      redact: resources.redactor.redact,
    })
}
