import { Queue, Worker, createPostgresBackend, runMigrations, type Processor, type WorkerOptions } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Failure, messageOf } from '../core/failure.ts'
import { redisCure, requireOneRedis } from '../core/queue-server.ts'
import { within } from '../lib/time/deadline.ts'
import { connectionTo } from '../store/postgres/db.ts'
import { storeFailure } from '../store/postgres/faults.ts'

export const QUEUE_NAME = 'nightshift-runs'

/** What a queue entry holds, and nothing else: all that a run is stands in SQL. */
export interface RunData {
  runId: string
}

/** The part of BullMQ that we use; the same on both backends. */
export type RunQueue = Pick<Queue<RunData, string>, 'addBulk' | 'getJobs' | 'obliterate' | 'close' | 'closing' | 'count'> & {
  on(event: 'error', listener: (error: Error) => void): unknown
}
export type RunWorker = Pick<Worker<RunData, string>, 'close' | 'closing' | 'waitUntilReady' | 'run'> & {
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** BullMQ on Redis, or on the store's own Postgres. */
export interface QueueBackend {
  kind: 'redis' | 'postgres'
  /** Rejects when the queue cannot be reached: one that was not ready at its start never is (BullMQ keeps that first answer). */
  queue(): Promise<Queue<RunData, string>>
  /** One that is not ready takes nothing until `run`, which must wait for `waitUntilReady`: it would ask again without a pause. */
  worker(process: Processor<RunData, string>, options: Omit<WorkerOptions, 'connection'>): RunWorker
  /** Rejects while the queue takes no writes. */
  check(): Promise<unknown>
  close(): Promise<void>
}

const KEEP_SECONDS = 86_400
const KEEP_COUNT = 10_000
/** Finished jobs are kept, since a jobId protects against a second run only while its job exists (measured). */
const KEEP = { removeOnComplete: { age: KEEP_SECONDS, count: KEEP_COUNT }, removeOnFail: { age: KEEP_SECONDS, count: KEEP_COUNT } }
const CONNECT_TIMEOUT_MS = 5000
/** Command time-out of Redis for producer and checks. A worker's connections block while they wait for jobs, so they have none. */
const COMMAND_TIMEOUT_MS = 5000
/** A connection that hears nothing for so long after it asked is on a path that was lost, and is made anew. A worker asks for at most ten seconds of silence. */
const SILENT_MS = 20_000

/** Longest wait for the queue to let a process begin. */
export const READY_MS = 30_000
/** How long the key stays that a check writes. */
const CHECK_MS = 60_000
/** After a failover the server behind the address may be another: a new connection finds it, and then the command is sent again, since it was not done. */
const reconnectOnError = ({ message }: Error): 2 | false => (message.startsWith('READONLY') ? 2 : false)

/** Connects to the queue. Throws `QUEUE_UNAVAILABLE` when Redis does not answer at start. */
export async function openQueueBackend(options: {
  redisUrl: string | undefined
  databaseUrl: string
  prefix?: string | undefined
}): Promise<QueueBackend> {
  return options.redisUrl === undefined ? openPostgres(options.databaseUrl) : openRedis(options.redisUrl, options.prefix)
}

async function openRedis(url: string, prefix = 'nightshift'): Promise<QueueBackend> {
  // A producer must fail while Redis is away, not wait: the run is in SQL and the sweep adds it later.
  const connection = new Redis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_MS,
    reconnectOnError,
  })
  // Later errors are reported by the commands and the worker; the reason of a failed start appears only here.
  let reason: unknown
  connection.on('error', (error) => (reason = error))
  const place = showUrl(url)
  try {
    await connection.connect()
    await connection.ping()
    requireOneRedis(await connection.info().catch(() => ''))
  } catch (cause) {
    connection.disconnect()
    if (cause instanceof Failure) throw cause
    const why = messageOf(reason ?? cause)
    const cure = redisCure(why)
    throw new Failure({
      code: 'QUEUE_UNAVAILABLE',
      message: `Redis at ${place} does not answer: ${why}.`,
      cause,
      ...(cure !== undefined && { cure }),
    })
  }
  return {
    kind: 'redis',
    queue: async () => new Queue(QUEUE_NAME, { connection, prefix, defaultJobOptions: KEEP }),
    worker: (process, workerOptions) =>
      new Worker(QUEUE_NAME, process, {
        ...KEEP,
        ...workerOptions,
        autorun: false,
        prefix,
        connection: { url, maxRetriesPerRequest: null, connectTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENT_MS, reconnectOnError },
      }),
    check: () => connection.set(`${prefix}:check`, '1', 'PX', CHECK_MS),
    async close() {
      connection.disconnect()
    },
  }
}

/** A connection string without its password. */
function showUrl(url: string): string {
  if (!URL.canParse(url)) return 'redisUrl'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

async function openPostgres(databaseUrl: string): Promise<QueueBackend> {
  const client = new pg.Client(connectionTo(databaseUrl))
  client.on('error', () => {})
  try {
    await client.connect()
    await runMigrations(client)
  } catch (error) {
    throw storeFailure(error)
  } finally {
    await client.end().catch(() => {})
  }
  const connection = { ...connectionTo(databaseUrl), max: 10 }
  return {
    kind: 'postgres',
    async queue() {
      const queue: unknown = new Queue(QUEUE_NAME, { connection, defaultJobOptions: KEEP }, createPostgresBackend)
      // oxlint-disable-next-line no-unsafe-type-assertion -- the same class; only the type of its connection differs
      const opened = queue as Queue<RunData, string>
      // Its errors are told by what is asked of it.
      opened.on('error', () => {})
      try {
        await within(READY_MS, opened.waitUntilReady(), () => new Error(`the queue was not ready within ${READY_MS / 1000} s`))
      } catch (error) {
        await opened.close().catch(() => {})
        throw storeFailure(error)
      }
      return opened
    },
    worker: (process, workerOptions) =>
      new Worker(QUEUE_NAME, process, { ...KEEP, ...workerOptions, autorun: false, connection }, createPostgresBackend),
    // It is the store, which has a check of its own.
    async check() {},
    async close() {},
  }
}
