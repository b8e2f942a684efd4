import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import getPort from 'get-port'
import pg from 'pg'
import { Failure, messageOf } from '../../../core/failure.ts'
import { findBinaries, makeTraversable, traversable } from './binaries.ts'
import { NOBODY, openCluster, type Place } from './cluster.ts'
import { lockDirectory } from './lock.ts'
import { dropForeignPid, postmasterOf } from './postmaster.ts'

/** How long a server may take until it answers, and to end; one that says that it replays its log after a crash may take longer. */
const ANSWER_MS = 30_000
const RECOVERY_MS = 600_000
const STOP_MS = 60_000
const RETRY_MS = 200
const POLL_MS = 20
/** Advisory lock that each process using the server shares; a process that gets it exclusively is the last one. */
const KEEPERS_LOCK = "hashtextextended('nightshift keepers', 0)"

export interface EmbeddedPostgres {
  url: string
  /** Ends the server unless another process still uses it. Can be called twice. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the server keeps its files. Two processes with the same directory share one server. */
  dir: string
  /** The server ends with this process, however it ends, and what it made goes with it. For data that nobody needs afterwards. */
  ephemeral?: boolean
}

/** Starts the Postgres that ships in the npm package, or adopts the one that already runs on the directory. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { ephemeral = false } = options
  const asNobody = process.getuid?.() === 0
  const wanted = asNobody ? traversable(resolve(options.dir)) : resolve(options.dir)
  if (asNobody) makeTraversable(wanted)
  else mkdirSync(wanted, { recursive: true })
  const dir = realpathSync(wanted)
  const place: Place = {
    dir,
    data: join(dir, 'data'),
    bin: join(findBinaries({ asNobody }), 'bin'),
    user: asNobody ? { uid: NOBODY, gid: NOBODY } : {},
  }
  const release = await lockDirectory(dir)
  try {
    const { password, isNew } = await openCluster(place)
    const port = (await adopt(place, password)) ?? (await launch(place, password, ephemeral))
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/nightshift`
    const keeper = await keep(url)
    // What another process made is not ours to remove.
    return { url, stop: once(() => stopServer({ place, port, keeper, ephemeral, removes: ephemeral && isNew })) }
  } finally {
    release()
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

/** The port of a live server on this directory, once it answers. One that was told to stop is waited for. */
async function adopt({ dir, data }: Place, password: string): Promise<number | undefined> {
  const began = Date.now()
  for (let postmaster = postmasterOf(data); postmaster; postmaster = postmasterOf(data)) {
    const { pid, port, status } = postmaster
    const refusal = status === 'stopping' || !(port > 0) ? 'it is stopping' : await prepareDatabase(port, password)
    if (refusal === undefined) return port
    if (isWrongPassword(refusal) || isTooLate(began, status)) throw noAnswer(dir, `process ${pid} runs on ${data}`, refusal)
    await sleep(POLL_MS)
  }
  return undefined
}

/** Starts the server and waits until it answers. After a hard kill the first start can fail: it is tried again. */
async function launch(place: Place, password: string, ephemeral: boolean): Promise<number> {
  const { dir, data } = place
  const began = Date.now()
  dropForeignPid(data)
  for (;;) {
    const port = await getPort({ host: '127.0.0.1' })
    const child = spawnServer(place, port, ephemeral)
    if (ephemeral && child.pid !== undefined) guard(child, child.pid)
    const ended = new AbortController()
    child.once('exit', () => ended.abort())
    child.once('error', () => ended.abort())
    let refusal: unknown = 'it ended at once'
    while (!ended.signal.aborted) {
      refusal = await prepareDatabase(port, password)
      if (refusal === undefined) return port
      if (isWrongPassword(refusal) || isTooLate(began, postmasterOf(data)?.status)) {
        child.kill('SIGINT') // given up, so it must not stay behind
        throw noAnswer(dir, `it was started on ${data}`, refusal)
      }
      await sleep(POLL_MS)
    }
    if (isTooLate(began, undefined)) throw noAnswer(dir, `it was started on ${data}`, refusal)
    await sleep(RETRY_MS)
  }
}

const isTooLate = (began: number, status: string | undefined) => Date.now() - began > (status === 'starting' ? RECOVERY_MS : ANSWER_MS)

const INVALID_PASSWORD = '28P01'
const isWrongPassword = (refusal: unknown) => refusal instanceof pg.DatabaseError && refusal.code === INVALID_PASSWORD

const noAnswer = (dir: string, what: string, refusal: unknown) =>
  new Failure({
    code: 'STORE_UNAVAILABLE',
    message: `The embedded Postgres does not let us in (${what}): ${messageOf(refusal)}.`,
    cure: isWrongPassword(refusal)
      ? `Put back the ${join(dir, 'settings.json')} that belongs to this data.`
      : `Read ${join(dir, 'postgres.log')}.`,
    cause: refusal,
  })

function spawnServer({ dir, data, bin, user }: Place, port: number, ephemeral: boolean): ChildProcess {
  const log = openSync(join(dir, 'postgres.log'), 'a', 0o600)
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=64MB',
    'random_page_cost=1.1', // SSD: random reads of an index cost little
    ...(ephemeral ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
  ]
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...user,
    cwd: data,
    detached: true, // Ctrl-C in a terminal goes to the whole group; the server ends after our drain, not before.
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  return child
}

/** Makes our database in the server when it has none. Returns why the server did not let us; undefined when all is there. */
async function prepareDatabase(port: number, password: string): Promise<unknown> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rowCount } = await client.query("select 1 from pg_database where datname = 'nightshift'")
    if (!rowCount) await client.query('create database nightshift')
    return undefined
  } catch (error) {
    return error
  } finally {
    await client.end().catch(() => {})
  }
}

/** Holds a lock for as long as this process lives and uses the server: the others see by it that they must not end it. */
async function keep(url: string): Promise<pg.Pool> {
  const keeper = new pg.Pool({
    connectionString: url,
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
    connectionTimeoutMillis: ANSWER_MS,
  })
  keeper.on('error', () => {})
  await keeper.query(`select pg_advisory_lock_shared(${KEEPERS_LOCK})`)
  return keeper
}

interface Running {
  place: Place
  port: number
  keeper: pg.Pool
  ephemeral: boolean
  removes: boolean
}

async function stopServer({ place: { dir, data }, port, keeper, ephemeral, removes }: Running): Promise<void> {
  if (!existsSync(dir)) return keeper.end()
  // Under the lock, so that no process adopts the server while this one decides whether to stop it.
  const release = await lockDirectory(dir)
  try {
    const used = !ephemeral && (await othersKeep(keeper))
    await keeper.end()
    const postmaster = postmasterOf(data)
    // A server on another port is not ours: ours has crashed, and another process started this one.
    if (used || postmaster?.port !== port) return
    process.kill(postmaster.pid, 'SIGINT') // fast: roll back what is open, then end
    const isAlive = () => postmasterOf(data)?.pid === postmaster.pid
    for (const until = Date.now() + STOP_MS; isAlive() && Date.now() < until;) await sleep(POLL_MS)
    if (removes && !isAlive()) rmSync(dir, { recursive: true, force: true })
  } finally {
    release()
  }
}

/** Releases our share of the lock and returns whether other processes hold one. Connections cannot be counted instead: a closed one is listed for a moment longer. */
async function othersKeep(keeper: pg.Pool): Promise<boolean> {
  try {
    await keeper.query(`select pg_advisory_unlock_shared(${KEEPERS_LOCK})`)
    const { rows } = await keeper.query<{ alone: boolean }>(`select pg_try_advisory_lock(${KEEPERS_LOCK}) as alone`)
    return rows[0]?.alone !== true
  } catch {
    return true // too many connections, for one; a server that is left alone is adopted by the next process
  }
}

/** A shell waits on a pipe from us; when we end, however we end, the pipe closes and it stops the server. */
function guard(server: ChildProcess, pid: number): void {
  const watcher = spawn('sh', ['-c', 'read -r _; kill -INT "$0" 2>/dev/null', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.on('error', () => {})
  watcher.unref()
  server.once('exit', () => watcher.kill()) // the pid is free for any other program from now on
  const pipe: unknown = watcher.stdin
  if (pipe && typeof pipe === 'object' && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}
