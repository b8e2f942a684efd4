import { createConnection } from 'node:net'
import { Redis } from 'ioredis'
import { Failure, messageOf } from '../core/failure.ts'
import { measureSkew } from '../lib/time/skew.ts'
import { redisCure, requireOneRedis } from '../core/queue-server.ts'
import type { Db } from '../store/postgres/db.ts'
import { loadServerFacts, loadTime, tryWrite } from '../store/postgres/facts.ts'
import { aboutClock, failed, failedBy, ok, skipped, warning, type Finding } from './check.ts'

export interface StoreCheck {
  kind: 'embedded' | 'external'
  /** Most connections that a process opens by this configuration. */
  mostConnections: number
}

/** The store: version, place, connections, clock. */
export async function checkStore(db: Db, { kind, mostConnections }: StoreCheck): Promise<Finding[]> {
  const facts = await loadServerFacts(db)
  if (!facts) return [failed('store', 'Postgres does not answer.', 'Check databaseUrl.', 'STORE_UNAVAILABLE')]
  try {
    await tryWrite(db)
  } catch (error) {
    return [
      failedBy(
        'store',
        error,
        'It answers and takes no writing: point databaseUrl at the primary, and see its disk and the rights of the user.',
      ),
    ]
  }
  return [
    ok('store', `Postgres ${facts.version} (${kind}), version ${facts.migration} of the tables`),
    ...(facts.connections < mostConnections
      ? [
          warning(
            'store',
            `Postgres lets us have ${facts.connections} connections, and each process of Nightshift may open ${mostConnections}.`,
            'Raise max_connections of the server, or the limit of the role or database (alter role … connection limit …), or lower worker.concurrency.',
          ),
        ]
      : []),
    aboutClock('This machine', 'Postgres', await measureSkew(() => loadTime(db))) ??
      ok('clock', 'Postgres and this machine agree about the time'),
  ]
}

const OLDEST_REDIS = 7
const ANSWER_MS = 5000

/** The queue: Redis must be one server, accept writes and not evict entries. */
export async function checkQueue(redisUrl: string | undefined, signal: AbortSignal): Promise<Finding[]> {
  if (redisUrl === undefined) return [ok('queue', 'in the same Postgres')]
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: () => null,
  })
  let reason: unknown
  redis.on('error', (error) => (reason = error))
  // Bounded: a server that accepts connections and never answers would be waited for without end.
  const end = () => redis.disconnect()
  signal.addEventListener('abort', end, { once: true })
  try {
    await redis.connect()
    const about = await redis.info()
    requireOneRedis(about)
    // What it answers when it is a replica, or full, is told here and not by a run.
    await redis.set('nightshift:doctor', '1', 'PX', 1000)
    return [checkVersion(/redis_version:(\S+)/.exec(about)?.[1]), ...(await checkRedisClock(redis)), ...(await checkKeeping(redis))]
  } catch (error) {
    if (error instanceof Failure) return [failedBy('queue', error)]
    // Why no connection stood is told by an event alone.
    const why = messageOf(reason ?? error)
    return [
      failed(
        'queue',
        `Redis does not answer as it should: ${why}.`,
        redisCure(why) ?? 'Check redisUrl and the server.',
        'QUEUE_UNAVAILABLE',
      ),
    ]
  } finally {
    signal.removeEventListener('abort', end)
    redis.disconnect()
  }
}

function checkVersion(version: string | undefined): Finding {
  if (version === undefined) return skipped('queue', 'Redis does not tell its version')
  if (Number.parseInt(version, 10) >= OLDEST_REDIS) return ok('queue', `Redis ${version}`)
  return warning('queue', `Redis is ${version}, and ${OLDEST_REDIS} is the oldest that was tried.`, 'Upgrade Redis.')
}

/** A server that does not tell its time passes. */
async function checkRedisClock(redis: Redis): Promise<Finding[]> {
  const skewMs = await measureSkew(() => redis.time().then(([seconds, micros]) => Number(seconds) * 1000 + Number(micros) / 1000)).catch(
    () => Number.NaN,
  )
  return [aboutClock('This machine', 'Redis', skewMs)].filter((finding) => finding !== undefined)
}

/** That no entry of the queue is dropped, and none is lost at a restart. */
async function checkKeeping(redis: Redis): Promise<Finding[]> {
  const policy = await setting(redis, 'maxmemory-policy')
  const appendOnly = await setting(redis, 'appendonly')
  if (policy === undefined && appendOnly === undefined)
    return [
      warning('eviction', 'Redis does not tell its settings.', 'See yourself that maxmemory-policy is noeviction and appendonly is yes.'),
    ]
  return [aboutEviction(policy), aboutPersistence(appendOnly)]
}

function aboutEviction(policy: string | undefined): Finding {
  if (policy === undefined) return skipped('eviction', 'not checked: Redis does not tell its maxmemory-policy, which must be noeviction')
  if (policy === 'noeviction') return ok('eviction', 'maxmemory-policy is noeviction')
  return failed('eviction', `maxmemory-policy is ${policy}: Redis may drop queue entries.`, 'Set it to noeviction.')
}

function aboutPersistence(appendOnly: string | undefined): Finding {
  if (appendOnly === undefined) return skipped('persistence', 'not checked: Redis does not tell its appendonly, which must be yes')
  if (appendOnly === 'yes') return ok('persistence', 'appendonly is yes')
  return warning(
    'persistence',
    `appendonly is ${appendOnly}: a restart of Redis forgets the queue.`,
    'Set appendonly yes. No run is lost without it: they are queued again from the store, a little later.',
  )
}

async function setting(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await redis.config('GET', name).catch(() => undefined)
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined
  return typeof value === 'string' ? value : undefined
}

/** The minter, where accounts need one: that it listens, and that we may connect. */
export function checkMinter(socket: string, accounts: readonly string[]): Promise<Finding> {
  // oxlint-disable-next-line waits/bounded -- bounded() waits for it no longer than for any check
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
