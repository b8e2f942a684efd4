import { createConnection } from 'node:net'
import { Redis } from 'ioredis'
import { messageOf } from '../core/failure.ts'
import { countLogFields } from '../store/audit/fields.ts'
import type { Db } from '../store/postgres/db.ts'
import { loadServerFacts } from '../store/postgres/facts.ts'
import { failed, ok, warning, type Finding } from './check.ts'

const SKEW_MS = 2000

/** The store: version, place, clock. */
export async function checkStore(db: Db, kind: 'embedded' | 'external'): Promise<Finding[]> {
  const before = Date.now()
  const facts = await loadServerFacts(db)
  if (!facts) return [failed('store', 'Postgres does not answer.', 'Check databaseUrl.')]
  const skewMs = Math.abs(facts.now.getTime() - (before + Date.now()) / 2)
  return [
    ok('store', `Postgres ${facts.version} (${kind}), version ${facts.migration} of the tables`),
    skewMs > SKEW_MS
      ? warning(
          'clock',
          `Postgres is ${Math.round(skewMs)} ms away from this machine.`,
          'Keep the clocks of all machines in step (NTP): deadlines and fires are compared across them.',
        )
      : ok('clock', 'Postgres and this machine agree about the time'),
  ]
}

/** The queue: Redis must not evict entries. */
export async function checkQueue(redisUrl: string | undefined): Promise<Finding[]> {
  if (redisUrl === undefined) return [ok('queue', 'in the same Postgres')]
  const redis = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 1, connectTimeout: 5000, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'of unknown version'
    const policy = await setting(redis, 'maxmemory-policy')
    const appendOnly = await setting(redis, 'appendonly')
    return [
      ok('queue', `Redis ${version}`),
      policy === undefined
        ? warning('queue', 'Redis does not tell its settings.', 'See yourself that maxmemory-policy is noeviction and appendonly is yes.')
        : policy === 'noeviction'
          ? ok('eviction', 'maxmemory-policy is noeviction')
          : failed('eviction', `maxmemory-policy is ${policy}: Redis may drop queue entries.`, 'Set it to noeviction.'),
      appendOnly === 'yes' || appendOnly === undefined
        ? ok('persistence', appendOnly === undefined ? 'not known' : 'appendonly is yes')
        : warning(
            'persistence',
            'appendonly is no: a restart of Redis forgets the queue.',
            'Set appendonly yes. No run is lost without it: they are queued again from the store, a little later.',
          ),
    ]
  } catch (error) {
    return [failed('queue', `Redis does not answer: ${messageOf(error)}.`, 'Check redisUrl and the server.')]
  } finally {
    redis.disconnect()
  }
}

async function setting(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await redis.config('GET', name).catch(() => undefined)
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined
  return typeof value === 'string' ? value : undefined
}

/** The minter, where accounts need one: that it listens, and that we may connect. */
export function checkMinter(socket: string, accounts: readonly string[]): Promise<Finding> {
  return new Promise((done) => {
    const probe = createConnection(socket)
    probe.once('connect', () => {
      probe.destroy()
      done(ok('minter', `listens on ${socket}, for ${accounts.join(', ')}`))
    })
    probe.once('error', (error) =>
      done(
        failed(
          'minter',
          `The minter on ${socket} cannot be reached: ${messageOf(error)}.`,
          'Start nightshift minter; its workerUid must be the user of the workers.',
        ),
      ),
    )
  })
}

/** What Pomerium writes into its log, seen in the lines that were read last. */
export async function checkLogFields(db: Db): Promise<Finding[]> {
  const { lines, methods, calls, params, headers } = await countLogFields(db)
  if (lines === 0) return [warning('log', 'No line of Pomerium’s log was read yet.', 'Run nightshift audit follow FILE, or audit import.')]
  const missing = [
    ...(methods === 0 ? ['mcp-method', 'mcp-tool'] : []),
    ...(calls > 0 && params === 0 ? ['mcp-tool-parameters'] : []),
    ...(headers === 0 ? ['headers.X-Nightshift-Run-Id'] : []),
  ]
  return missing.length === 0
    ? [ok('log', `the latest ${lines} lines have the fields that the join needs`)]
    : [warning('log', `The latest lines lack ${missing.join(', ')}.`, 'Add them to authorize_log_fields in pomerium.yaml.')]
}
