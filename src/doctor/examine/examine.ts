import type { Remark } from '../../config/surroundings.ts'
import type { LoadedJobs } from '../../jobs/directory.ts'
import type { Db } from '../../store/postgres/db.ts'
import { bounded, failed, failedBy, listed, ok, skipped, warning, type Finding } from '../check.ts'
import { checkQueue, checkStore } from '../infrastructure.ts'
import { CHECKS } from './checks.ts'
import { STORE_CURE, type Check, type Context, type ExaminedConfig, type ExaminedParts } from './context.ts'
import { notLookedAt } from './keys.ts'

export interface ExamineOptions<Config extends ExaminedConfig> {
  readConfig: () => Config
  loadJobs: (config: Config) => LoadedJobs
  /** Puts the parts together. `CONFIG_INVALID` when that cannot be. */
  open: (config: Config) => ExaminedParts
  /** On the environment of this process. */
  remarks: (config: Config) => readonly Remark[]
  /** Models are asked a word, for a few tokens. */
  spend: boolean
  signal: AbortSignal
}

/** The embedded server may have to be made first. */
const EMBEDDED_MS = 60_000

/**
 * Checks everything that runs need, and gives each finding once it is there. Each check is on its own: what keeps one from its answer keeps no other, but where it needs
 * the same; then it says that it was not done. Calls no tool.
 */
export async function* examine<Config extends ExaminedConfig>(options: ExamineOptions<Config>): AsyncGenerator<Finding, void> {
  const { spend, signal } = options
  let config: Config
  try {
    config = options.readConfig()
  } catch (error) {
    return yield* [failedBy('config', error), skipped('the rest', 'not checked: the configuration comes first')]
  }
  yield checkNotes(config.notes)
  for (const { message, cure } of options.remarks(config)) yield warning('environment', message, cure)
  const loaded = load(options, config)
  yield* loaded.findings
  let parts: ExaminedParts
  try {
    parts = options.open(config)
  } catch (error) {
    return yield* [failedBy('config', error), skipped('the rest', 'not checked: the configuration comes first')]
  }
  await using opened = parts
  const queue = await bounded('queue', 'Check redisUrl and the server.', signal, (ended) => checkQueue(config.redisUrl, ended), {
    code: 'QUEUE_UNAVAILABLE',
  })
  const { db, findings: store } = await openStore(config, opened, signal)
  const context: Context = { config, parts: opened, db, jobs: loaded.jobs, store, queue, spend, signal }
  for (const [name, check] of Object.entries<Check>(CHECKS)) yield* onItsOwn(name, check, context)
  yield* notLookedAt(config)
}

/** The findings of a check, the last of them what it threw. */
async function* onItsOwn(name: string, check: Check, context: Context): AsyncGenerator<Finding, void> {
  try {
    yield* check(context)
  } catch (error) {
    context.signal.throwIfAborted()
    yield failedBy(name, error)
  }
}

async function openStore(
  { databaseUrl }: ExaminedConfig,
  { openStore: open, mostConnections }: ExaminedParts,
  signal: AbortSignal,
): Promise<{ db: Db | undefined; findings: readonly Finding[] }> {
  const kind = databaseUrl === undefined ? 'embedded' : 'external'
  let db: Db | undefined
  const findings = await bounded(
    'store',
    STORE_CURE,
    signal,
    async () => {
      db = await open()
      return await checkStore(db, { kind, mostConnections })
    },
    { ms: kind === 'embedded' ? EMBEDDED_MS : undefined, code: 'STORE_UNAVAILABLE' },
  )
  const isAway = findings.some(({ check, status }) => check === 'store' && status === 'failed')
  return { db: isAway ? undefined : db, findings }
}

const checkNotes = (notes: readonly string[]): Finding =>
  notes.length === 0 ? ok('config', 'is valid') : warning('config', `is valid, but ${notes.join('; ')}`, 'Change these lines as they say.')

function load<Config extends ExaminedConfig>(
  { loadJobs }: ExamineOptions<Config>,
  config: Config,
): { jobs: Context['jobs']; findings: Finding[] } {
  try {
    const loaded = loadJobs(config)
    return { jobs: [...loaded.jobs.values()], findings: [checkJobs(loaded)] }
  } catch (error) {
    return { jobs: [], findings: [failedBy('jobs', error), skipped('servers and models', 'not checked: the job files come first')] }
  }
}

function checkJobs({ jobs, issues, warnings }: LoadedJobs): Finding {
  if (issues.length > 0) return failed('jobs', listed(issues), 'Correct what is named.', 'JOB_INVALID')
  if (warnings.length > 0) return warning('jobs', `${jobs.size} valid, but ${warnings.join('; ')}`, 'Change these lines as they say.')
  return ok('jobs', `${jobs.size} valid`)
}
